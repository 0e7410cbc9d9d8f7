//! What can go wrong between us and Northflank, each as a sentence to act on.

use std::fmt;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;

use super::list::ListKind;
use super::page_body::PageError;
use super::rate_limit::WaitTooLong;
use super::text_format::{one_line, whole_seconds};
use crate::exit_code::ExitCode;

/// A request that did not end in a usable answer. Holds no token and no answer's body.
#[derive(Debug, thiserror::Error)]
#[error("GET {endpoint}: {problem}{}", TryCount(*.tries))]
pub struct Error {
    /// The path that was asked for.
    pub endpoint: String,
    /// How often it was asked for.
    pub tries: u32,
    /// What happened at the last try.
    #[source]
    pub problem: Problem,
}

/// What can happen to a request.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// No connection, a broken one, or no answer in time.
    #[error("{kind}")]
    Transport {
        /// What happened.
        kind: TransportProblem,
        /// The HTTP library's own account.
        source: reqwest::Error,
    },
    /// The answer began and did not go on.
    #[error("the answer stopped in the middle and did not go on for {}", whole_seconds(.pause))]
    Stalled {
        /// How long no more of it came.
        pause: Duration,
    },
    /// Northflank refused or failed.
    #[error("Northflank answered {0}")]
    Refused(Refusal),
    /// The answer is not what the API documents. Going on would lose rows in silence.
    #[error("the answer can't be used: {0}")]
    Page(#[from] PageError),
    /// The answer is larger than anything the API has reason to send.
    #[error("the answer is larger than {limit} MiB, which is more than is accepted")]
    TooLarge {
        /// The limit in MiB, after decompression.
        limit: usize,
    },
    /// The list would never end.
    #[error("the list does not end: {0}")]
    Endless(&'static str),
    /// Northflank accepts no request for longer than the caller wants to wait.
    #[error(transparent)]
    RateLimited(#[from] WaitTooLong),
}

impl Error {
    /// The code to exit with.
    pub fn code(&self) -> ExitCode {
        match &self.problem {
            Problem::Transport { kind: TransportProblem::Timeout, .. }
            | Problem::Stalled { .. } => ExitCode::DEADLINE_EXCEEDED,
            Problem::Transport { .. } => ExitCode::UNAVAILABLE,
            Problem::Refused(refusal) => refusal.code(),
            Problem::RateLimited(_) => ExitCode::RESOURCE_EXHAUSTED,
            Problem::Page(_) | Problem::TooLarge { .. } | Problem::Endless(_) => ExitCode::UNKNOWN,
        }
    }

    /// The answer, where Northflank refused or failed.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.problem {
            Problem::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Whether Northflank answered, and will probably answer the same again: a refusal, or what
    /// can't be used.
    pub fn is_final(&self) -> bool {
        match &self.problem {
            Problem::Refused(refusal) => {
                let may_pass = matches!(
                    refusal.status,
                    StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT
                );
                !may_pass && !refusal.status.is_server_error()
            }
            Problem::Page(_) | Problem::TooLarge { .. } | Problem::Endless(_) => true,
            Problem::Transport { .. } | Problem::Stalled { .. } | Problem::RateLimited(_) => false,
        }
    }

    /// Takes note of whether anything has been read from the same base URL.
    pub(crate) fn doubt_base_url(&mut self, has_been_read: bool) {
        if let Problem::Refused(refusal) = &mut self.problem {
            refusal.doubts_base_url = !has_been_read;
        }
    }

    /// Takes note that the token has had the permission to read lists of this kind.
    pub(crate) fn doubting_permission(mut self, kind: ListKind) -> Self {
        if let Problem::Refused(refusal) = &mut self.problem {
            refusal.doubts_permission = Some(kind);
        }
        self
    }
}

impl Problem {
    /// Whether Northflank refused because there were too many requests.
    pub(super) fn is_rate_limit(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == StatusCode::TOO_MANY_REQUESTS)
    }
}

/// How often a request was tried, where that is worth a word.
struct TryCount(u32);

impl fmt::Display for TryCount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 > 1 { write!(formatter, " ({} tries)", self.0) } else { Ok(()) }
    }
}

/// The kinds of failed transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransportProblem {
    /// DNS, TCP or TLS.
    Connect,
    /// No answer, or no more of it, in time.
    Timeout,
    /// The connection broke before the answer was whole.
    Broken,
}

impl fmt::Display for TransportProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Connect => {
                "could not connect; check the base URL, the network and the proxy, if there is one"
            }
            Self::Timeout => "no whole answer in time",
            Self::Broken => "the connection broke before the answer was whole",
        })
    }
}

/// An answer other than 200.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The API's message, shortened and without control characters.
    pub message: Option<String>,
    /// The API's error id. Undocumented: shown, never decided by.
    pub id: Option<String>,
    /// The permission that the token lacks, where the API names one.
    pub required_permission: Option<String>,
    /// Whether the body is an error as only the API writes it, and not a gateway's or proxy's.
    pub is_northflanks: bool,
    /// Whether the base URL may be wrong: there is nothing at this address, and nothing else has
    /// been read.
    pub doubts_base_url: bool,
    /// The lists that the token may have lost the permission to read.
    pub doubts_permission: Option<ListKind>,
}

impl Refusal {
    /// Reads what it can of an error body: Northflank's `error` object, an `error` string, or
    /// a flat object with `message`. Anything else (HTML of a proxy, say) leaves the status.
    pub(super) fn read(status: StatusCode, body: &[u8]) -> Self {
        let body: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
        let (inner, text) = match body.error {
            Some(ErrorDetail::Object(fields)) => (fields, None),
            Some(ErrorDetail::Text(text)) => (ErrorFields::default(), Some(text)),
            Some(ErrorDetail::Other(_)) | None => (ErrorFields::default(), None),
        };
        let shown = |value: Option<serde_json::Value>| match value {
            Some(serde_json::Value::String(text)) => {
                Some(one_line(&text)).filter(|text| !text.is_empty())
            }
            _ => None,
        };
        let message = shown(inner.message);
        Self {
            status,
            is_northflanks: message.is_some(),
            message: message
                .or_else(|| text.map(|text| one_line(&text)))
                .or_else(|| shown(body.message)),
            id: shown(inner.id),
            required_permission: inner
                .details
                .and_then(|details| shown(details.get("requiredPermission").cloned())),
            doubts_base_url: false,
            doubts_permission: None,
        }
    }

    fn code(&self) -> ExitCode {
        match self.status {
            _ if self.is_denied() => ExitCode::PERMISSION_DENIED,
            StatusCode::UNAUTHORIZED => ExitCode::UNAUTHENTICATED,
            StatusCode::REQUEST_TIMEOUT => ExitCode::DEADLINE_EXCEEDED,
            StatusCode::TOO_MANY_REQUESTS => ExitCode::RESOURCE_EXHAUSTED,
            status if status.is_server_error() => ExitCode::UNAVAILABLE,
            _ => ExitCode::UNKNOWN,
        }
    }

    /// Whether it may be about what was asked for: there is no such thing, or not for this token,
    /// or the question makes no sense. Of a 401 what else the token may ask for shows that.
    pub fn is_of_what_is_asked_for(&self) -> bool {
        let has_another_reason = matches!(
            self.status,
            StatusCode::PROXY_AUTHENTICATION_REQUIRED
                | StatusCode::REQUEST_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
        );
        self.status.is_client_error() && !has_another_reason
    }

    /// Whether a cursor that leads nowhere may be answered so. That an address is too long, or a
    /// method not allowed, only something on the way says.
    pub fn may_be_of_a_cursor(&self) -> bool {
        matches!(self.status.as_u16(), 400 | 404 | 409 | 410 | 422)
    }

    /// Whether it says that there is no such thing, or none any more.
    pub fn says_it_is_gone(&self) -> bool {
        matches!(self.status, StatusCode::NOT_FOUND | StatusCode::GONE)
    }

    /// Whether the token is the reason, one way or another.
    pub fn is_refused(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED || (self.is_denied() && !self.is_a_gateways())
    }

    /// Whether the token may not do this, as opposed to being no valid token. Northflank has
    /// been seen to answer a missing permission with 401 as well as with 403.
    pub fn is_denied(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
            || (self.status == StatusCode::UNAUTHORIZED && self.required_permission.is_some())
    }

    /// Whether it says of no permission that it is missing: the token may be none.
    pub fn may_be_of_the_token(&self) -> bool {
        self.is_refused() && self.required_permission.is_none()
    }

    /// Whether it is a 403 that a proxy or firewall may have said, but hardly Northflank.
    pub fn is_a_gateways(&self) -> bool {
        self.status == StatusCode::FORBIDDEN
            && !self.is_northflanks
            && self.required_permission.is_none()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.status.as_u16())?;
        if let Some(reason) = self.status.canonical_reason() {
            write!(formatter, " {reason}")?;
        }
        if let Some(message) = &self.message {
            write!(formatter, ": {message}")?;
        }
        if let Some(id) = &self.id {
            write!(formatter, " ({id})")?;
        }
        if let Some(permission) = &self.required_permission {
            write!(formatter, " [requires {permission}]")?;
        }
        match self.status.as_u16() {
            404 | 405 if self.doubts_base_url => formatter.write_str("; is the base URL right?"),
            // 300 leaves a choice, and 304 says that nothing has changed.
            301 | 302 | 303 | 307 | 308 => formatter
                .write_str("; redirects are not followed, set the base URL to the API itself"),
            403 if self.is_a_gateways() => formatter.write_str(
                "; Northflank words it otherwise: a proxy or firewall on the way may have said it",
            ),
            407 => formatter.write_str("; a proxy on the way said so, and wants credentials"),
            _ => match self.doubts_permission.filter(|_| self.is_refused()) {
                Some(kind) => write!(
                    formatter,
                    "; was the API token revoked meanwhile, or the permission {} taken from its \
                     role?",
                    kind.declaration().permission
                ),
                None => Ok(()),
            },
        }
    }
}

#[derive(Default, Deserialize)]
struct ErrorBody {
    error: Option<ErrorDetail>,
    message: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorDetail {
    Object(ErrorFields),
    Text(String),
    Other(serde::de::IgnoredAny),
}

#[derive(Default, Deserialize)]
struct ErrorFields {
    message: Option<serde_json::Value>,
    id: Option<serde_json::Value>,
    details: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use reqwest::StatusCode;

    fn read(status: u16, body: &str) -> Refusal {
        Refusal::read(StatusCode::from_u16(status).unwrap(), body.as_bytes())
    }

    #[test]
    fn the_message_is_found_in_every_shape_of_error_body() {
        let nested = r#"{"error":{"status":404,"message":"No such role","id":"nf-x"}}"#;
        let refusal = read(404, nested);
        assert_eq!(refusal.message.as_deref(), Some("No such role"));
        assert_eq!(refusal.id.as_deref(), Some("nf-x"));
        for body in [r#"{"error":"No such role"}"#, r#"{"code":1,"message":"No such role"}"#] {
            assert_eq!(read(404, body).message.as_deref(), Some("No such role"), "{body}");
        }
        for body in ["", "[]", "<html>", "null", r#"{"error":[]}"#, r#"{"error":{"message":{}}}"#] {
            assert_eq!(read(502, body).message, None, "{body}");
        }
    }

    #[test]
    fn a_refusal_is_of_what_is_asked_for_unless_it_is_of_a_proxy_or_of_when() {
        for status in [400, 401, 403, 404, 409, 410, 422] {
            assert!(read(status, "").is_of_what_is_asked_for(), "{status}");
        }
        for status in [300, 407, 408, 429, 500, 503] {
            assert!(!read(status, "").is_of_what_is_asked_for(), "{status}");
        }
    }

    #[test]
    fn a_401_that_names_a_permission_is_a_denial_and_a_bare_one_is_not() {
        let body = r#"{"error":{"message":"Unauthorized","details":{"requiredPermission":"x"}}}"#;
        assert!(read(401, body).is_denied());
        assert!(read(403, "").is_denied());
        assert!(!read(401, r#"{"error":{"message":"Unauthorized"}}"#).is_denied());
    }

    #[test]
    fn a_403_is_a_gateways_unless_it_is_worded_as_northflank_does_or_names_a_permission() {
        let named = r#"{"error":{"details":{"requiredPermission":"x"}}}"#;
        for own in [r#"{"error":{"message":"Forbidden"}}"#, named] {
            assert!(!read(403, own).is_a_gateways() && read(403, own).is_refused(), "{own}");
            assert!(!read(403, own).to_string().contains("firewall"), "{own}");
        }
        for body in ["", "<html>denied", "{}", r#"{"message":"Forbidden"}"#, r#"{"error":"no"}"#] {
            assert!(read(403, body).is_a_gateways() && !read(403, body).is_refused(), "{body}");
            assert!(read(403, body).to_string().contains("proxy or firewall"), "{body}");
        }
        assert!(!read(401, "").is_a_gateways());
    }

    #[test]
    fn only_redirects_are_told_as_such_and_only_a_doubtful_base_url_is_asked_for() {
        for status in [301, 302, 303, 307, 308] {
            assert!(read(status, "").to_string().contains("redirects are not followed"));
        }
        for status in [300, 304, 305, 306] {
            assert!(!read(status, "").to_string().contains("redirect"), "{status}");
        }
        for status in [400, 404, 405, 410] {
            let doubted = Refusal { doubts_base_url: true, ..read(status, "") };
            let asks = doubted.to_string().contains("is the base URL right?");
            assert_eq!(asks, [404, 405].contains(&status), "{status}");
            assert!(!read(status, "").to_string().contains("base URL"), "{status}");
        }
    }

    #[test]
    fn a_proxy_that_wants_credentials_is_told_apart() {
        let said = read(407, "").to_string();
        assert!(said.ends_with("; a proxy on the way said so, and wants credentials"), "{said}");
    }

    #[test]
    fn a_hostile_message_stays_one_short_line() {
        let body = serde_json::json!({"message": format!("a\u{1b}[31m\r\n{}", "é".repeat(5000))});
        let message = read(500, &body.to_string()).message.unwrap();
        assert!(!message.chars().any(char::is_control));
        assert_eq!(message.chars().count(), 301);
    }
}
