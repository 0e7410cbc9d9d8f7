//! How to reach Northflank.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;

use crate::northflank::{ApiToken, BaseUrl, ClientSettings};
use crate::private_fs;

use super::fields;
use super::values::Values;

/// The time before the first retry of a request: a hiccup is over by then.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// Where Northflank is, the token for it, and how patient to be.
pub(super) fn settings(values: &mut Values<'_>) -> Option<ClientSettings> {
    let (is_given, is_in_file) =
        (values.is_given(fields::API_TOKEN), values.is_given(fields::API_TOKEN_FILE));
    let token = if is_in_file {
        token_of_file(values)
    } else {
        values.secret(fields::API_TOKEN).map(ApiToken::from)
    };
    if is_given && is_in_file {
        values.problem(format!(
            "{} and {} are both set; take one of them out",
            fields::API_TOKEN.both_names(),
            fields::API_TOKEN_FILE.both_names()
        ));
    }
    if !is_given && !is_in_file {
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

/// The largest file of a token, in MiB.
const LARGEST_MIB: u64 = 1;

/// The token that a file holds, to be read anew when it is refused.
fn token_of_file(values: &mut Values<'_>) -> Option<ApiToken> {
    let read = values.parsed(fields::API_TOKEN_FILE, |path| {
        let path = PathBuf::from(path);
        let token = read_token(&path)?;
        Ok((path, token))
    });
    let (path, token) = read?;
    values.hide(&token);
    let reader = move || read_token(&path).ok().map(SecretString::from);
    Some(ApiToken::read_by(token.into(), Arc::new(reader)))
}

/// What a file holds, if that is a token. No problem quotes it.
fn read_token(path: &Path) -> Result<String, String> {
    let content = private_fs::read_regular(path, LARGEST_MIB)
        .map_err(|error| format!("it can't be read: {error}"))?;
    let token = String::from_utf8_lossy(&content);
    let token = token.trim();
    if token.is_empty() {
        return Err("the file is empty; it has to hold the token, and nothing else".to_owned());
    }
    let may_be_a_token = |byte: u8| byte.is_ascii_graphic() && !b"\"'`".contains(&byte);
    if !token.bytes().all(may_be_a_token) {
        return Err("the file holds something else than a token alone".to_owned());
    }
    Ok(token.to_owned())
}
