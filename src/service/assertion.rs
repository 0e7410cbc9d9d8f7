//! The assertion that is exchanged for a token: a JSON Web Signature over who, for whom and
//! until when.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::json;

use super::credentials::{ClientId, ClientSecret};
use crate::digest::hex;

/// Seconds by which the clocks may differ, and for which an assertion is valid.
const LEEWAY: i64 = 120;

/// The system has no random numbers.
#[derive(Debug, thiserror::Error)]
#[error("the system gives no random numbers")]
pub struct NoRandomness;

/// A fresh assertion, valid from two minutes before `now` (in Unix seconds) to two minutes
/// after it.
pub(super) fn assertion(
    id: &ClientId,
    secret: &ClientSecret,
    now: i64,
) -> Result<String, NoRandomness> {
    let mut nonce = [0; 16];
    SystemRandom::new().fill(&mut nonce).map_err(|_| NoRandomness)?;
    let mut header = json!({"alg": "EdDSA", "nonce": hex(&nonce)});
    if let Some(key_id) = secret.key_id() {
        header["kid"] = key_id.into();
    }
    let claims = json!({
        "iss": id.as_str(),
        "sub": id.as_str(),
        // The tenant's own name, wherever the request goes.
        "aud": id.host().name(),
        "iat": now,
        "nbf": now - LEEWAY,
        "exp": now + LEEWAY,
    });
    let encode = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", encode(&header), encode(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(secret.sign(signed.as_bytes()));
    Ok(format!("{signed}.{signature}"))
}
