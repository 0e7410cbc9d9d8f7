//! Proxies, as variables of the environment name them.

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::Url;

/// Whether the HTTP library would use the proxy that `text` names, and in service mode gRPC's
/// connections too. It goes without one that it can't understand, and says nothing.
pub fn check_proxy(text: &str, is_service: bool) -> Result<(), &'static str> {
    const UNREADABLE: &str = "is no proxy that can be used; one is given like http://proxy:3128";
    let url = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    let url = Url::parse(&url).map_err(|_| UNREADABLE)?;
    match url.scheme() {
        "http" => {}
        "https" if !is_service => {}
        "https" => {
            return Err("is reached by TLS, which service mode can't; give one with http://");
        }
        _ => return Err("is not an HTTP proxy; one is given like http://proxy:3128"),
    }
    // What the library makes of it.
    let matcher = Matcher::builder().https(text).build();
    let destination = Url::parse("https://host.test").map_err(|_| UNREADABLE)?;
    let destination = destination.as_str().parse().map_err(|_| UNREADABLE)?;
    let used = matcher.intercept(&destination).ok_or(UNREADABLE)?;
    let (used, port) = (used.uri(), url.port_or_known_default());
    let is_same = used.host().zip(url.host_str()).is_some_and(|(used, url)| used.eq_ignore_ascii_case(url))
        && (used.port_u16().is_none() || used.port_u16() == port)
        // An @ that was not encoded cuts the password short.
        && used.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    if is_same { Ok(()) } else { Err(UNREADABLE) }
}

/// Whether a proxy would lead to this URL, where `exceptions` go without one.
pub fn needs_proxy(url: &str, exceptions: &str) -> bool {
    let matcher = Matcher::builder().all("http://proxy.test").no(exceptions).build();
    url.parse().is_ok_and(|url| matcher.intercept(&url).is_some())
}

#[cfg(test)]
mod tests {
    use super::{check_proxy, needs_proxy};

    #[test]
    fn a_host_that_is_excepted_needs_no_proxy() {
        let url = "https://api.host.test:8443";
        for exceptions in ["*", "host.test", "a.test, .host.test", "api.host.test"] {
            assert!(!needs_proxy(url, exceptions), "{exceptions}");
        }
        for exceptions in ["", "other.test", "https://api.host.test", "i.host.test"] {
            assert!(needs_proxy(url, exceptions), "{exceptions}");
        }
    }

    #[test]
    fn a_proxy_that_would_be_passed_over_in_silence_is_refused() {
        for text in [
            "http://127.0.0.1:99999",
            "127.0.0.1:99999",
            "http://127.0.0.1:port",
            "http://",
            "http:/proxy:3128",
            "http//proxy:3128",
            "://proxy:3128",
            " http://proxy:3128",
            "http://proxy:3128 ",
            "http://pro xy:3128",
            "htp://proxy:3128",
            "ftp://proxy:3128",
            "socks5://proxy:1080",
            "http://me:p@ss@proxy:3128",
            "http://[::1:3128",
        ] {
            assert!(check_proxy(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn a_proxy_is_a_host_with_or_without_port_scheme_and_password() {
        for text in [
            "http://proxy:3128",
            "http://proxy.test",
            "HTTP://Proxy.test:3128/",
            "proxy:3128",
            "proxy.test",
            "127.0.0.1:3128",
            "http://[::1]:3128",
            "http://me:p%40ss@proxy:3128",
        ] {
            assert_eq!(check_proxy(text, true), Ok(()), "{text}");
        }
        assert_eq!(check_proxy("https://proxy:443", false), Ok(()));
        assert!(check_proxy("https://proxy:443", true).is_err());
    }
}
