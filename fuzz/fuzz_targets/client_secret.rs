//! Whatever is given as client secret: it is refused, or is a key that no debug output shows.
#![no_main]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use baton_northflank::service::ClientSecret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        check(text, data);
    }
    // As the key of a secret, so that what is inside is reached.
    let payload = BASE64_URL_SAFE_NO_PAD.encode(data);
    check(&format!("secret-token:conductorone.com:v1:{payload}"), data);
});

fn check(text: &str, data: &[u8]) {
    // Errors are fixed texts.
    let Ok(secret) = text.parse::<ClientSecret>() else {
        return;
    };
    let shown = format!("{secret:?}");
    let key = serde_json::from_slice::<serde_json::Value>(data).unwrap_or_default();
    if let Some(seed) = key["d"].as_str() {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(seed).expect("the key was accepted");
        assert!(!shown.contains(seed) && !shown.contains(&format!("{bytes:02x?}")));
    }
}
