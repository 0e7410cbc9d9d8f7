//! Whatever is given as base URL: it is refused, or protects the token and means the same
//! when it is written down and read again.
#![no_main]

use baton_northflank::northflank::BaseUrl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(base_url) = text.parse::<BaseUrl>() else {
        return;
    };
    let shown = base_url.to_string();
    assert!(
        shown.starts_with("https://") || (shown.starts_with("http://") && base_url.is_loopback())
    );
    let authority = shown.split('/').nth(2).unwrap_or_default();
    assert!(!shown.contains(['?', '#']) && !authority.contains('@') && !authority.is_empty());
    // With the version, because a gateway's path may end like one itself.
    assert_eq!(format!("{shown}/v1").parse::<BaseUrl>().as_ref(), Ok(&base_url), "{shown}");
});
