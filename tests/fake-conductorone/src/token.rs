//! The token endpoint, and what it knows of the connector.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::state::State;

/// Clocks may differ by so many seconds.
const SKEW: i64 = 5;

/// A registered connector.
pub(crate) struct Registration {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    /// The audience that assertions must name.
    audience: String,
    public_key: Vec<u8>,
}

impl Registration {
    /// A connector with a fresh key.
    pub(crate) fn new(client_id: &str, audience: &str) -> std::io::Result<Self> {
        let mut seed = [0; 32];
        SystemRandom::new()
            .fill(&mut seed)
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        let key = Ed25519KeyPair::from_seed_unchecked(&seed)
            .map_err(|error| std::io::Error::other(error.to_string()))?;
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let public_key = key.public_key().as_ref().to_vec();
        let jwk = json!({
            "kty": "OKP", "crv": "Ed25519", "x": encode(&public_key), "d": encode(&seed),
            "kid": "test-key",
        });
        let payload = encode(jwk.to_string().as_bytes());
        Ok(Self {
            client_id: client_id.to_owned(),
            client_secret: format!("secret-token:conductorone.com:v1:{payload}"),
            audience: audience.to_owned(),
            public_key,
        })
    }

    /// What is wrong with a request for a token.
    fn judge(&self, state: &mut State, body: &[u8]) -> Result<(), String> {
        let fields: BTreeMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
        let expected = [
            ("client_id", self.client_id.as_str()),
            ("grant_type", "client_credentials"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ];
        for (name, value) in expected {
            if fields.get(name).map(String::as_str) != Some(value) {
                return Err(format!("{name} is {:?}", fields.get(name)));
            }
        }
        if fields.len() != 4 {
            return Err(format!("fields {:?}", fields.keys()));
        }
        let assertion = fields.get("client_assertion").ok_or("no assertion")?;
        self.judge_assertion(state, assertion)
    }

    fn judge_assertion(&self, state: &mut State, assertion: &str) -> Result<(), String> {
        let (signed, signature) = assertion.rsplit_once('.').ok_or("not three parts")?;
        let (header, claims) = signed.split_once('.').ok_or("not three parts")?;
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|e| e.to_string());
        let signature = decode(signature)?;
        UnparsedPublicKey::new(&ED25519, &self.public_key)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| "the signature does not fit")?;
        let parse = |part: &str| -> Result<Value, String> {
            serde_json::from_slice(&decode(part)?).map_err(|error| error.to_string())
        };
        let (header, claims) = (parse(header)?, parse(claims)?);
        let expect = |is_right: bool, what: &str| {
            if is_right { Ok(()) } else { Err(format!("{what}: {header} {claims}")) }
        };
        expect(header["alg"] == "EdDSA" && header["kid"] == "test-key", "header")?;
        let nonce = header["nonce"].as_str().unwrap_or_default();
        let is_nonce = nonce.len() == 32 && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
        expect(is_nonce, "nonce")?;
        expect(state.nonces.insert(nonce.to_owned()), "a nonce that came before")?;
        let id = self.client_id.as_str();
        expect(claims["iss"] == id && claims["sub"] == id, "iss and sub")?;
        expect(claims["aud"] == self.audience.as_str(), "aud")?;
        let time = |name: &str| claims[name].as_i64().ok_or(format!("no {name}"));
        let (issued, from, until) = (time("iat")?, time("nbf")?, time("exp")?);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let now = i64::try_from(now).unwrap_or(i64::MAX);
        expect((now - issued).abs() <= SKEW, "iat")?;
        expect(from <= now && now <= until && until - issued <= 120, "nbf and exp")
    }

    /// Answers a request for a token with a status and a body.
    pub(crate) fn answer(
        &self,
        state: &mut State,
        method: &str,
        content_type: Option<&str>,
        body: &[u8],
        life: Option<Duration>,
    ) -> (u16, String) {
        if (method, content_type) != ("POST", Some("application/x-www-form-urlencoded")) {
            state.violation(format!("token request: {method} {content_type:?}"));
            return (400, String::new());
        }
        if let Err(problem) = self.judge(state, body) {
            state.violation(format!("token request: {problem}"));
            return (401, String::new());
        }
        let token = state.issue(life.unwrap_or(Duration::from_mins(1)));
        let mut answer = json!({"access_token": token, "token_type": "bearer"});
        if let Some(life) = life {
            answer["expires_in"] = life.as_secs().into();
        }
        (200, answer.to_string())
    }
}
