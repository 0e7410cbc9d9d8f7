//! How to reach Northflank.

use std::time::Duration;

use crate::northflank::{BaseUrl, ClientSettings};

use super::fields;
use super::values::Values;

/// The time before the first retry of a request: a hiccup is over by then.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// Where Northflank is, the token for it, and how patient to be.
pub(super) fn settings(values: &mut Values<'_>) -> Option<ClientSettings> {
    let token = values.secret(fields::API_TOKEN);
    if token.is_none() && !values.is_given(fields::API_TOKEN) {
        let name = fields::API_TOKEN.name;
        values.problem(format!(
            "{} (--{name}) is not set; create a token in Northflank under the \
             organization's Settings > API > Tokens",
            fields::API_TOKEN.variable(),
        ));
    }
    let base_url = values.parsed(fields::BASE_URL, |text| {
        text.parse::<BaseUrl>().map_err(|error| error.to_string())
    });
    let timeout = values.number(fields::HTTP_TIMEOUT_SECONDS);
    let max_wait = values.parsed(fields::MAX_WAIT, |text| {
        humantime::parse_duration(text)
            .map_err(|_| "it takes a duration such as 90s, 20m or 2h".to_owned())
    });
    let reserve = values.number(fields::RATE_LIMIT_RESERVE);
    Some(ClientSettings {
        base_url: base_url?,
        token: token?,
        request_timeout: Duration::from_secs(timeout?),
        first_retry: FIRST_RETRY,
        max_wait,
        reserve: reserve?,
        // Known when all else is.
        verifier: None,
    })
}
