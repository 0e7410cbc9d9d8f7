//! When a sync ended, as a time to reckon with.

use time::macros::format_description;
use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

/// How far east of UTC clocks go: a local time of unknown zone may be so much ahead.
const EASTERNMOST: Duration = Duration::hours(14);

/// When a sync ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncEnd {
    /// The time; a local one that doesn't say its zone as if it were UTC.
    pub time: OffsetDateTime,
    /// Whether that is certain.
    has_zone: bool,
}

impl SyncEnd {
    /// Reads what a file has: `YYYY-MM-DD HH:MM:SS`, maybe with a fraction and a zone.
    pub fn parse(text: &str, is_utc: bool) -> Option<Self> {
        let date = Date::parse(text.get(..10)?, format_description!("[year]-[month]-[day]"));
        let time = Time::parse(text.get(11..19)?, format_description!("[hour]:[minute]:[second]"));
        let rest = text.get(19..)?;
        let rest = match rest.strip_prefix('.') {
            Some(fraction) => fraction.trim_start_matches(|char: char| char.is_ascii_digit()),
            None => rest,
        };
        let offset = match rest.trim() {
            "" => None,
            "Z" | "UTC" => Some(UtcOffset::UTC),
            // Go writes the zone's name behind it.
            zone => Some(offset(zone.split(' ').next()?)?),
        };
        let time = PrimitiveDateTime::new(date.ok()?, time.ok()?);
        let time = time.assume_offset(offset.unwrap_or(UtcOffset::UTC));
        Some(Self { time, has_zone: is_utc || offset.is_some() })
    }

    /// Whether it lies in the future, wherever it was written.
    pub fn is_after(self, now: OffsetDateTime) -> bool {
        let ahead = if self.has_zone { Duration::ZERO } else { EASTERNMOST };
        self.time - now > ahead
    }
}

/// `+02:00` or `+0200`.
fn offset(text: &str) -> Option<UtcOffset> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = digits.replace(':', "");
    let number = |part: &str| part.parse::<i8>().ok();
    let (hours, minutes) = (number(digits.get(..2)?)?, number(digits.get(2..4)?)?);
    UtcOffset::from_hms(sign * hours, sign * minutes, 0).ok().filter(|_| digits.len() == 4)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::SyncEnd;

    #[test]
    fn an_end_is_read_with_its_zone_as_far_as_the_file_has_one() {
        let read = |text: &str| SyncEnd::parse(text, false).unwrap();
        for (text, time) in [
            ("2026-11-24 08:00:00", datetime!(2026-11-24 08:00 UTC)),
            ("2026-11-24 08:00:00.123456789", datetime!(2026-11-24 08:00 UTC)),
            ("2026-11-24T08:00:00Z", datetime!(2026-11-24 08:00 UTC)),
            ("2026-11-24 08:00:00.5+02:00", datetime!(2026-11-24 06:00 UTC)),
            ("2026-11-24 08:00:00.5 -0730 XYZ", datetime!(2026-11-24 15:30 UTC)),
            ("2026-11-24 08:00:00 +0000 UTC", datetime!(2026-11-24 08:00 UTC)),
        ] {
            assert_eq!(read(text).time, time, "{text}");
        }
        for text in ["", "2026-11-24", "2026-13-24 08:00:00", "2026-11-24 08:00:00 PDT", "é"] {
            assert_eq!(SyncEnd::parse(text, true), None, "{text}");
        }
    }

    #[test]
    fn an_end_lies_in_the_future_wherever_it_was_written() {
        let now = datetime!(2026-11-24 08:00 UTC);
        let is_after = |text: &str, is_utc| SyncEnd::parse(text, is_utc).unwrap().is_after(now);
        assert!(!is_after("2026-11-24 08:00:00", true));
        assert!(is_after("2026-11-24 08:00:01", true));
        assert!(is_after("2026-11-24 08:00:01Z", false));
        assert!(!is_after("2026-11-24 22:00:00", false), "in the far east it is that late");
        assert!(is_after("2026-11-24 22:00:01", false));
    }
}
