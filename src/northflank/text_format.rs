//! How errors and logs word what they tell.

use std::time::Duration;

/// A time for people, such as `58m 20s`. A begun second counts.
pub(super) fn whole_seconds(time: &Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m {seconds}s"),
        _ => format!("{hours}h {minutes}m {seconds}s"),
    }
}

/// A server's text made fit for a log line or terminal.
pub(super) fn one_line(text: &str) -> String {
    const LONGEST: usize = 300;
    let text: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .take(LONGEST + 1)
        .collect();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.trim().to_owned(),
    }
}
