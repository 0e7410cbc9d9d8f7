//! Where the API is.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;
use reqwest::header::HeaderValue;

/// The API's origin: `https://api.northflank.com` unless said otherwise.
///
/// A trailing slash and a trailing `/v1` are accepted. Plain http is accepted on loopback
/// only: anywhere else the token would cross a network unprotected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Why a text is no base URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BaseUrlError {
    /// Not a URL at all.
    #[error("it is not a URL ({0}); give one like {default}", default = BaseUrl::DEFAULT)]
    NotAUrl(String),
    /// Neither https nor http, or no host.
    #[error("it must begin with https:// and name a host")]
    Scheme,
    /// Plain http to another machine.
    #[error("plain http would send the token unprotected; use https (http is for loopback only)")]
    Insecure,
    /// A user name or password.
    #[error("it must not contain credentials; the token has a setting of its own")]
    Credentials,
    /// A query or fragment.
    #[error("it must not have a query or fragment")]
    Query,
}

impl BaseUrl {
    /// Northflank's public API.
    pub const DEFAULT: &'static str = "https://api.northflank.com";

    /// Whether the API is on this machine, as a fake one in tests and the demo is.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The URL of an endpoint, with its path segments percent-encoded.
    pub(super) fn join(&self, segments: &[&str]) -> Url {
        let mut url = self.0.clone();
        // A URL with a host always has segments; there is nothing else that can fail here.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(segments);
        }
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl FromStr for BaseUrl {
    type Err = BaseUrlError;

    fn from_str(text: &str) -> Result<Self, BaseUrlError> {
        let mut url =
            Url::parse(text.trim()).map_err(|error| BaseUrlError::NotAUrl(error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(BaseUrlError::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(BaseUrlError::Query);
        }
        match url.scheme() {
            "https" if url.has_host() => {}
            "http" if is_loopback(&url) => {}
            "http" if url.has_host() => return Err(BaseUrlError::Insecure),
            _ => return Err(BaseUrlError::Scheme),
        }
        let path = url.path().trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path).trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self(url))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host_str() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    }
}

/// The value of the `Authorization` header, marked so that no debug output shows it.
/// `None` where the token has characters that no header can carry.
pub(super) fn bearer(token: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::{BaseUrl, BaseUrlError};

    fn parse(text: &str) -> Result<BaseUrl, BaseUrlError> {
        text.parse()
    }

    #[test]
    fn a_trailing_slash_or_version_changes_nothing() {
        for text in [
            "https://api.northflank.com",
            "https://api.northflank.com/",
            "https://api.northflank.com/v1",
            " https://API.northflank.com//v1/ ",
        ] {
            let base = parse(text).unwrap();
            let url = base.join(&["org-members"]);
            assert_eq!(url.as_str(), "https://api.northflank.com/v1/org-members");
            assert_eq!(base.to_string(), BaseUrl::DEFAULT);
        }
    }

    #[test]
    fn a_gateway_below_a_path_is_kept() {
        let url = parse("https://proxy.test/northflank/v1/").unwrap().join(&["org-roles"]);
        assert_eq!(url.as_str(), "https://proxy.test/northflank/v1/org-roles");
        let url = parse("https://proxy.test/v1/v1/").unwrap().join(&["org-roles"]);
        assert_eq!(url.as_str(), "https://proxy.test/v1/v1/org-roles", "one version goes");
    }

    #[test]
    fn ids_are_percent_encoded() {
        let url = parse(BaseUrl::DEFAULT).unwrap().join(&["org-roles", "a/b c?é", "members"]);
        assert_eq!(
            url.as_str(),
            "https://api.northflank.com/v1/org-roles/a%2Fb%20c%3F%C3%A9/members"
        );
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        for text in ["http://127.0.0.1:8080", "http://localhost:1", "http://[::1]:1"] {
            assert!(parse(text).unwrap().is_loopback(), "{text}");
        }
        for text in ["http://api.northflank.com", "http://127.0.0.1.evil.test", "http://10.0.0.1"] {
            assert_eq!(parse(text), Err(BaseUrlError::Insecure), "{text}");
        }
    }

    #[test]
    fn credentials_queries_and_other_schemes_are_refused() {
        assert_eq!(parse("https://me:pw@api.test"), Err(BaseUrlError::Credentials));
        assert_eq!(parse("https://api.test/?a=b"), Err(BaseUrlError::Query));
        assert_eq!(parse("https://api.test/#top"), Err(BaseUrlError::Query));
        assert_eq!(parse("ftp://api.test"), Err(BaseUrlError::Scheme));
        assert_eq!(parse("file:///etc"), Err(BaseUrlError::Scheme));
        assert!(matches!(parse("api.northflank.com"), Err(BaseUrlError::NotAUrl(_))));
    }
}
