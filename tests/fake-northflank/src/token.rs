//! Tokens and what they may do.

use std::fmt::Write as _;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// What a token's role allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "independent permissions")]
pub struct Permissions {
    /// Organisation > Admin > Members > Read.
    pub members: bool,
    /// Organisation > Admin > Roles > Read.
    pub roles: bool,
    /// Organisation > Team > General > Read.
    pub teams: bool,
    /// Account > Admin > Members > Read.
    pub team_members: bool,
    /// Account > Admin > Roles > Read.
    pub team_roles: bool,
    /// Account > Admin > ApiTokens > Read.
    pub tokens: bool,
}

impl Permissions {
    /// Everything that a sync needs, teams and tokens included.
    pub const ALL: Self = Self {
        members: true,
        roles: true,
        teams: true,
        team_members: true,
        team_roles: true,
        tokens: true,
    };

    /// What a sync needs that isn't asked for more.
    pub const WITHOUT_TEAMS: Self =
        Self { teams: false, team_members: false, team_roles: false, tokens: false, ..Self::ALL };
}

/// A token that the fake knows.
#[derive(Debug, Clone)]
pub struct Token {
    /// What it may do.
    pub permissions: Permissions,
    /// The ids of the teams that its role is restricted to, if it is: others it isn't shown.
    pub only_teams: Option<Vec<String>>,
    /// Whether it belongs to a team instead of the organization.
    pub is_team: bool,
    /// Whether it has been revoked, or its role deleted.
    pub is_revoked: bool,
    /// When it expires, in seconds of the fake's clock.
    pub expires_at: Option<u64>,
    /// The token's own id. The secrets of a token whose key was rotated share it.
    pub id: String,
    /// What its maker called it.
    pub name: String,
    /// The id of its role.
    pub role_id: String,
    /// The name of its role.
    pub role_name: String,
    /// Whom it belongs to.
    pub owner: Owner,
}

/// An organization or team, as whoever owns a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The slug.
    pub slug: String,
    /// The object id, which stays.
    pub uid: String,
}

impl Token {
    /// A valid organization token.
    pub fn new(permissions: Permissions) -> Self {
        Self {
            permissions,
            only_teams: None,
            is_team: false,
            is_revoked: false,
            expires_at: None,
            id: "access-review".into(),
            name: "Access review".into(),
            role_id: "auditor".into(),
            role_name: "Auditor".into(),
            owner: Owner { slug: "acme".into(), uid: "65a4f0c2d9b8e7163f5a0a01".into() },
        }
    }

    /// A token of a team.
    pub fn of_team() -> Self {
        Self {
            is_team: true,
            owner: Owner { slug: "core-infra".into(), uid: "65a4f0c2d9b8e7163f5a0b02".into() },
            ..Self::new(Permissions::ALL)
        }
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
