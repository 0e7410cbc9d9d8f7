//! Client id and client secret, as ConductorOne hands them out.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde::Deserialize;
use tonic::codegen::http::uri::Authority;

/// Who the connector is: `<name>@<host>[:port]/<suffix>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientId {
    whole: String,
    name: String,
    host: ApiHost,
}

impl ClientId {
    /// The client id as it was given.
    pub fn as_str(&self) -> &str {
        &self.whole
    }

    /// What stands before the `@`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where ConductorOne is, according to the client id.
    pub fn host(&self) -> &ApiHost {
        &self.host
    }
}

/// A client id can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no client id, which reads <name>@<tenant's host>/<suffix>; was it copied whole?")]
pub struct ClientIdError;

impl FromStr for ClientId {
    type Err = ClientIdError;

    fn from_str(text: &str) -> Result<Self, ClientIdError> {
        let whole = text.trim();
        let (name, rest) = whole.split_once('@').ok_or(ClientIdError)?;
        let (host, _suffix) = rest.split_once('/').ok_or(ClientIdError)?;
        // The name becomes part of a header.
        if name.is_empty() || !whole.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ClientIdError);
        }
        let host = host.parse().map_err(|_| ClientIdError)?;
        Ok(Self { whole: whole.to_owned(), name: name.to_owned(), host })
    }
}

/// A host with or without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiHost(Authority);

impl ApiHost {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host alone.
    pub fn name(&self) -> &str {
        self.0.host()
    }

    /// With a port in any case, as gRPC writes it.
    pub fn with_port(&self) -> String {
        format!("{}:{}", self.0.host(), self.0.port_u16().unwrap_or(443))
    }
}

/// A text is no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is no host, which reads host or host:port")]
pub struct ApiHostError;

impl FromStr for ApiHost {
    type Err = ApiHostError;

    fn from_str(text: &str) -> Result<Self, ApiHostError> {
        let authority: Authority = text.trim().parse().map_err(|_| ApiHostError)?;
        let is_host = is_host_name(authority.host())
            && !authority.as_str().contains('@')
            // A port that is no number would be dropped in silence.
            && (authority.port_u16().is_some() || authority.as_str() == authority.host());
        if is_host { Ok(Self(authority)) } else { Err(ApiHostError) }
    }
}

/// Whether a text is a name or an address; what may stand in a URL in its place is more.
fn is_host_name(text: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => !text.is_empty() && text.bytes().all(in_name),
    }
}

/// The key that proves who the connector is. Nothing shows it.
pub struct ClientSecret {
    key: Ed25519KeyPair,
    key_id: Option<String>,
}

impl ClientSecret {
    /// The Ed25519 signature of `message`.
    pub(super) fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.key.sign(message).as_ref().to_vec()
    }

    /// The key's id, if the secret names one.
    pub(super) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ClientSecret(public key {:02x?})", self.key.public_key().as_ref())
    }
}

/// A client secret can't be used. Says nothing of what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ClientSecretError {
    /// Not four parts, or not version 1.
    #[error(
        "is no client secret, which begins with secret-token:conductorone.com:v1:; was it \
         copied whole?"
    )]
    Form,
    /// The last part is no key.
    #[error("holds no valid key; was it copied whole?")]
    Key,
}

/// The last part of a client secret: a private JSON Web Key.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    d: String,
    kid: Option<String>,
}

impl FromStr for ClientSecret {
    type Err = ClientSecretError;

    fn from_str(text: &str) -> Result<Self, ClientSecretError> {
        let mut parts = text.trim().splitn(4, ':').skip(2);
        let (Some("v1"), Some(payload)) = (parts.next(), parts.next()) else {
            return Err(ClientSecretError::Form);
        };
        key(payload).ok_or(ClientSecretError::Key)
    }
}

fn key(payload: &str) -> Option<ClientSecret> {
    let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let jwk: Jwk = serde_json::from_slice(&decode(payload)?).ok()?;
    if jwk.kty != "OKP" || jwk.crv != "Ed25519" {
        return None;
    }
    let (seed, public) = (decode(&jwk.d)?, decode(&jwk.x)?);
    let key = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).ok()?;
    Some(ClientSecret { key, key_id: jwk.kid.filter(|id| !id.is_empty()) })
}

#[cfg(test)]
pub(super) mod tests {
    use super::{ApiHost, ClientId, ClientSecret, ClientSecretError};
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    /// A secret made of a seed, with what `change` does to its key.
    fn secret(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let seed = [7; 32];
        let key = Ed25519KeyPair::from_seed_unchecked(&seed).unwrap();
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "x": encode(key.public_key().as_ref()),
            "d": encode(&seed), "kid": "key-1", "alg": "EdDSA", "use": "sig",
        });
        change(&mut jwk);
        format!("secret-token:conductorone.com:v1:{}", encode(jwk.to_string().as_bytes()))
    }

    pub(crate) fn valid_secret() -> ClientSecret {
        secret(|_| ()).parse().unwrap()
    }

    #[test]
    fn a_client_id_has_a_name_a_host_and_a_suffix() {
        let id: ClientId = " crimson-fox-1@tenant.example.com/pcc/a@b\n".parse().unwrap();
        assert_eq!(id.as_str(), "crimson-fox-1@tenant.example.com/pcc/a@b");
        assert_eq!(id.name(), "crimson-fox-1");
        assert_eq!(id.host().with_port(), "tenant.example.com:443");
        let id: ClientId = "x@localhost:8443/any".parse().unwrap();
        assert_eq!((id.host().name(), id.host().as_str()), ("localhost", "localhost:8443"));
        for text in ["", "x", "x@host", "host/pcc", "@host/pcc", "x@/pcc", "x y@host/pcc", "x@h:p/"]
        {
            assert!(text.parse::<ClientId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_host_is_nothing_more_than_a_host() {
        assert_eq!("127.0.0.1:9".parse::<ApiHost>().unwrap().with_port(), "127.0.0.1:9");
        assert_eq!("[::1]".parse::<ApiHost>().unwrap().with_port(), "[::1]:443");
        for text in [
            "",
            "https://host",
            "me:secret@host",
            "host/path",
            "host:",
            "host:99999",
            // Found by fuzzing.
            "1,[::1]:844",
            "[host]:1",
        ] {
            assert!(text.parse::<ApiHost>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_client_secret_holds_a_private_ed25519_key() {
        assert_eq!(valid_secret().key_id(), Some("key-1"));
        let parse = |text: &str| text.parse::<ClientSecret>().unwrap_err();
        assert_eq!(parse("secret"), ClientSecretError::Form);
        assert_eq!(parse("secret-token:conductorone.com:v2:e30"), ClientSecretError::Form);
        assert_eq!(parse("secret-token:conductorone.com:v1:e30"), ClientSecretError::Key);
        assert_eq!(parse(&secret(|jwk| jwk["crv"] = "X25519".into())), ClientSecretError::Key);
        assert_eq!(parse(&secret(|jwk| jwk["x"] = jwk["d"].clone())), ClientSecretError::Key);
        assert_eq!(
            parse(&secret(|jwk| drop(jwk.as_object_mut().unwrap().remove("d")))),
            ClientSecretError::Key
        );
    }

    #[test]
    fn no_debug_output_shows_the_seed() {
        let shown = format!("{:?}", valid_secret());
        assert!(!shown.contains("07, 07"), "{shown}");
    }
}
