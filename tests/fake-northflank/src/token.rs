//! Tokens and what they may do.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What a token's role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permissions {
    /// Organization > Admin > Members > Read.
    pub members: bool,
    /// Organization > Admin > Roles > Read.
    pub roles: bool,
}

impl Permissions {
    /// Everything that a sync needs.
    pub const ALL: Self = Self { members: true, roles: true };
}

/// A token that the fake knows.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it may do.
    pub permissions: Permissions,
    /// Whether it belongs to a team instead of the organization.
    pub is_team: bool,
    /// Whether it has been revoked, or its role deleted.
    pub is_revoked: bool,
    /// When it expires, in seconds of the fake's clock.
    pub expires_at: Option<u64>,
}

impl Token {
    /// A valid organization token.
    pub fn new(permissions: Permissions) -> Self {
        Self { permissions, is_team: false, is_revoked: false, expires_at: None }
    }

    /// A secret of the reported shape: `nf-` and a JWT, whose claims tell the kind.
    pub(crate) fn secret(&self, number: usize) -> String {
        let kind = if self.is_team { "team" } else { "org" };
        let claims = format!(r#"{{"entityType":"{kind}","jti":"token-{number}"}}"#);
        let signature = hash(&claims);
        format!(
            "nf-{}.{}.{signature}",
            URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
            URL_SAFE_NO_PAD.encode(&claims)
        )
    }
}

/// How the journal names a token.
pub(crate) fn hash(token: &str) -> String {
    Sha256::digest(token).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Permissions, Token};

    #[test]
    fn secrets_look_like_northflanks_and_differ() {
        let token = Token::new(Permissions::ALL);
        assert!(token.secret(1).starts_with("nf-eyJ"));
        assert_ne!(token.secret(1), token.secret(2));
    }
}
