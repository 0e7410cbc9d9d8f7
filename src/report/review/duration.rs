//! Durations as rules have them: `90d`, `26h`, `15m`, `30s`.

use std::fmt;

use time::Duration;

/// A duration as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleDuration {
    /// How long it is.
    pub length: Duration,
    text: String,
}

impl RuleDuration {
    /// Reads a whole number with its unit.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (number, seconds) = [("s", 1), ("m", 60), ("h", 60 * 60), ("d", 24 * 60 * 60)]
            .into_iter()
            .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)))?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let number: i64 = number.parse().ok().filter(|_| is_number)?;
        let length = Duration::seconds(number.checked_mul(seconds)?);
        Some(Self { length, text: text.to_owned() })
    }
}

impl fmt::Display for RuleDuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use time::Duration;

    use super::RuleDuration;

    #[test]
    fn a_duration_is_a_whole_number_and_a_unit() {
        for (text, length) in [
            ("90d", Duration::days(90)),
            ("26h", Duration::hours(26)),
            ("15m", Duration::minutes(15)),
            ("0s", Duration::ZERO),
        ] {
            assert_eq!(RuleDuration::parse(text).unwrap().length, length);
        }
        for text in ["", "d", "90", "-1d", "+1d", "1.5h", "1 d", "1w", "9223372036854775807d"] {
            assert_eq!(RuleDuration::parse(text), None, "{text}");
        }
    }
}
