//! Names and times of the API as baton takes them.

use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::northflank::Text;

/// The longest display name that baton accepts, in bytes.
pub(super) const LONGEST_NAME: usize = 1024;

/// The longest description that baton accepts, in bytes.
pub(super) const LONGEST_DESCRIPTION: usize = 2048;

/// The first of `names` that isn't blank, else `id`.
pub(super) fn display_name<'text>(
    names: impl IntoIterator<Item = Option<&'text Text>>,
    id: &str,
) -> String {
    let name = names.into_iter().flatten().find_map(Text::filled).unwrap_or(id);
    crate::baton::shorten(name, LONGEST_NAME)
}

/// A time of the API; `None` where it is absent or no RFC 3339 time.
pub(super) fn timestamp(text: Option<&Text>) -> Option<Timestamp> {
    let time = OffsetDateTime::parse(text?.trim(), &Rfc3339).ok()?;
    Some(Timestamp {
        seconds: time.unix_timestamp(),
        nanos: i32::try_from(time.nanosecond()).ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::timestamp;
    use crate::northflank::Text;

    #[test]
    fn times_are_read_with_and_without_fraction_and_offset() {
        let seconds = |text: &str| timestamp(Some(&Text::from(text))).map(|time| time.seconds);
        assert_eq!(seconds("2025-03-04T09:12:07.018Z"), Some(1_741_079_527));
        assert_eq!(seconds("2025-03-04T10:12:07+01:00"), Some(1_741_079_527));
        assert_eq!(seconds("yesterday"), None);
        let nanos = timestamp(Some(&Text::from("2025-03-04T09:12:07.018Z"))).unwrap().nanos;
        assert_eq!(nanos, 18_000_000);
    }
}
