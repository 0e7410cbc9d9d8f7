//! A process, and the memory that it takes.

use std::error::Error;
use std::fs;
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// Waits for the end of `child`; returns the most memory it was seen to hold, in KiB. The
/// kernel's high-water mark only grows, so that looking now and then is enough.
pub(crate) fn watch(child: &mut Child) -> Result<(ExitStatus, u64), Box<dyn Error>> {
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        if let Ok(text) = fs::read_to_string(&status) {
            let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kib = mark.and_then(|mark| mark.trim().trim_end_matches(" kB").parse().ok());
            most = most.max(kib.unwrap_or(0));
        }
        if let Some(status) = child.try_wait()? {
            return Ok((status, most));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
