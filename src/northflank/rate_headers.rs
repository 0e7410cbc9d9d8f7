//! What an answer's headers say of the rate limit.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

/// A hint to wait for longer than this is garbage; windows last an hour.
const LONGEST_HINT: Duration = Duration::from_hours(24);

/// What an answer's headers say of the rate limit, each as its first value that makes sense.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct RateHeaders {
    /// Requests that the window allows in all.
    pub(super) limit: Option<u32>,
    /// Requests left in it.
    pub(super) remaining: Option<u32>,
    /// Time until it ends.
    pub(super) reset: Option<Duration>,
    /// Time to wait before another request.
    pub(super) retry_after: Option<Duration>,
}

impl RateHeaders {
    pub(super) fn read(headers: &HeaderMap) -> Self {
        Self {
            limit: first(headers, "x-ratelimit-limit", number).filter(|limit| *limit > 0),
            remaining: first(headers, "x-ratelimit-remaining", number),
            reset: first(headers, "x-ratelimit-reset", reset),
            retry_after: first(headers, RETRY_AFTER.as_str(), retry_after),
        }
    }
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}

/// Documented as seconds; epoch seconds and milliseconds are understood as well.
fn reset(text: &str) -> Option<Duration> {
    const EPOCH: f64 = 1e9;
    const EPOCH_MILLISECONDS: f64 = 1e12;
    let value: f64 = text.parse().ok()?;
    let value = if value < EPOCH_MILLISECONDS { value } else { value / 1e3 };
    let time = Duration::try_from_secs_f64(value.ceil()).ok()?;
    if value < EPOCH {
        return credible(time);
    }
    let now = OffsetDateTime::now_utc() - OffsetDateTime::UNIX_EPOCH;
    credible(time.saturating_sub(Duration::try_from(now).ok()?))
}

/// Seconds, also with a fraction, or a date in any of HTTP's three forms (RFC 9110, 5.6.7) or
/// as mail writes it.
fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.parse() {
        return credible(Duration::try_from_secs_f64(seconds).ok()?);
    }
    let date = match httpdate::parse_http_date(text) {
        Ok(date) => date.into(),
        Err(_) => OffsetDateTime::parse(&text.replace("GMT", "+0000"), &Rfc2822).ok()?,
    };
    let wait = date - OffsetDateTime::now_utc();
    credible(Duration::try_from(wait).unwrap_or_default())
}

fn credible(wait: Duration) -> Option<Duration> {
    (wait <= LONGEST_HINT).then_some(wait)
}

/// The first value of a header that makes sense.
fn first<T>(headers: &HeaderMap, name: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    headers.get_all(name).iter().find_map(|value| read(value.to_str().ok()?.trim()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use time::OffsetDateTime;
    use time::macros::format_description;

    use super::RateHeaders;

    fn read(pairs: &[(&'static str, &str)]) -> RateHeaders {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let value = HeaderValue::from_str(value).unwrap();
            headers.append(HeaderName::from_static(name), value);
        }
        RateHeaders::read(&headers)
    }

    #[test]
    fn a_time_to_wait_is_understood_in_every_form() {
        let later = OffsetDateTime::now_utc() + Duration::from_secs(100);
        let epoch = later.unix_timestamp().to_string();
        let milliseconds = format!("{epoch}000");
        for reset in ["100", "99.2", &epoch, &milliseconds] {
            let seconds = read(&[("x-ratelimit-reset", reset)]).reset.unwrap().as_secs();
            assert!((99..=100).contains(&seconds), "{reset}: {seconds}");
        }
        let fixed = format_description!(
            "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
        );
        let rfc_850 = format_description!(
            "[weekday], [day]-[month repr:short]-[year repr:last_two] [hour]:[minute]:[second] GMT"
        );
        let asctime = format_description!(
            "[weekday repr:short] [month repr:short] [day padding:space] \
             [hour]:[minute]:[second] [year]"
        );
        let mail = format_description!(
            "[day padding:none] [month repr:short] [year] [hour]:[minute]:[second] +0000"
        );
        for date in [
            "100".to_owned(),
            "99.2".to_owned(),
            later.format(fixed).unwrap(),
            later.format(rfc_850).unwrap(),
            later.format(asctime).unwrap(),
            later.format(mail).unwrap(),
        ] {
            let seconds = read(&[("retry-after", &date)]).retry_after.unwrap().as_secs();
            assert!((98..=100).contains(&seconds), "{date}: {seconds}");
        }
        let short = read(&[("retry-after", "1.5")]).retry_after;
        assert_eq!(short, Some(Duration::from_millis(1_500)));
        for past in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            let wait = read(&[("retry-after", past)]).retry_after;
            assert_eq!(wait, Some(Duration::ZERO), "{past}");
        }
    }

    #[test]
    fn garbage_says_nothing_and_the_first_value_that_makes_sense_counts() {
        for (name, value) in [
            ("x-ratelimit-limit", "0"),
            ("x-ratelimit-remaining", "-1"),
            ("x-ratelimit-reset", "-5"),
            ("x-ratelimit-reset", "soon"),
            ("x-ratelimit-reset", "NaN"),
            ("x-ratelimit-reset", "99999999"),
            ("retry-after", "in a while"),
            ("retry-after", "-1.5"),
            ("retry-after", "inf"),
            ("retry-after", "99999999999999999999"),
            ("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT"),
        ] {
            assert_eq!(read(&[(name, value)]), RateHeaders::default(), "{name}: {value}");
        }
        let first_valid = ["-5", "soon", "100", "7"].map(|value| ("x-ratelimit-reset", value));
        assert_eq!(read(&first_valid).reset, Some(Duration::from_secs(100)));
    }
}
