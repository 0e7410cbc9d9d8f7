//! Times as the file has them: `YYYY-MM-DD HH:MM:SS.fffffffff` in UTC, without the
//! fraction's trailing zeros.

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day] [hour]:[minute]:[second][optional [.[subsecond]]]");

/// Writes a time.
pub(super) fn format(time: OffsetDateTime) -> String {
    let time = time.to_offset(time::UtcOffset::UTC);
    let mut text = format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}",
        time.year(),
        u8::from(time.month()),
        time.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    if time.nanosecond() > 0 {
        let fraction = format!("{:09}", time.nanosecond());
        text.push('.');
        text.push_str(fraction.trim_end_matches('0'));
    }
    text
}

/// Reads a time; `None` where it is none.
pub(super) fn parse(text: &str) -> Option<OffsetDateTime> {
    PrimitiveDateTime::parse(text, FORMAT).ok().map(PrimitiveDateTime::assume_utc)
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use time::macros::datetime;

    #[test]
    fn trailing_zeros_of_the_fraction_are_dropped() {
        assert_eq!(format(datetime!(2026-11-24 02:03:04.5 UTC)), "2026-11-24 02:03:04.5");
        assert_eq!(format(datetime!(2026-11-24 02:03:04 UTC)), "2026-11-24 02:03:04");
        assert_eq!(format(datetime!(2026-11-24 02:03:04 +02:00)), "2026-11-24 00:03:04");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for time in [datetime!(2026-11-24 02:03:04.000000001 UTC), datetime!(2026-01-01 0:00 UTC)] {
            assert_eq!(parse(&format(time)), Some(time));
        }
        assert_eq!(parse("2026-11-24T02:03:04Z"), None);
    }
}
