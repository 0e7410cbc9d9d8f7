//! Benchmarks of several parts, of which the command line can name some.

use std::error::Error;
use std::time::Duration;

/// A part that can be run by its name.
pub(crate) type Part = (&'static str, fn() -> Result<(), Box<dyn Error>>);

/// Runs the parts that the command line names, or all.
pub(crate) fn run(parts: &[Part]) -> Result<(), Box<dyn Error>> {
    // Cargo passes flags of its own, such as `--bench`.
    let named: Vec<String> =
        std::env::args().skip(1).filter(|name| !name.starts_with('-')).collect();
    for (name, part) in parts {
        if named.is_empty() || named.iter().any(|other| other == name) {
            part()?;
        }
    }
    Ok(())
}

/// The time in the middle.
pub(crate) fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

/// Times as people read them, in milliseconds.
pub(crate) fn spread(mut times: Vec<Duration>) -> String {
    times.sort();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    format!(
        "{:.1} ms (median of {}; {:.1} to {:.1})",
        milliseconds(median(&times)),
        times.len(),
        milliseconds(times[0]),
        milliseconds(times[times.len() - 1]),
    )
}
