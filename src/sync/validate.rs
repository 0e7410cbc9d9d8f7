//! Validation: may the token read everything that a sync needs? Asked first, all at once, so
//! that one run tells everything that is missing and nothing is written.

use std::fmt;

use reqwest::StatusCode;

use crate::causes::with_causes;
use crate::northflank::{
    Answer, Client, DirectoryGroup, Error, Member, Problem, READ_MEMBERS, READ_ROLES, Refusal, Role,
};

/// Something that the token must be able to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Members of the organization, and of directory groups.
    Members,
    /// Roles and their members.
    Roles,
    /// Directory groups.
    DirectoryGroups,
}

impl Scope {
    /// The permission that it takes, as Northflank shows it.
    pub fn permission(self) -> &'static str {
        match self {
            Self::Members => READ_MEMBERS,
            Self::Roles | Self::DirectoryGroups => READ_ROLES,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Members => "members",
            Self::Roles => "roles",
            Self::DirectoryGroups => "directory groups",
        })
    }
}

/// What the validation's answers already told, so that it need not be asked again.
#[derive(Debug)]
pub struct Known {
    /// All members, if one page held them.
    pub members: Option<Answer<Member>>,
    /// All roles, if one page held them.
    pub roles: Option<Answer<Role>>,
    /// All directory groups.
    pub groups: Answer<DirectoryGroup>,
}

/// Why the connector can't connect.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    /// No endpoint accepts the token.
    #[error(
        "Northflank refuses the API token ({0}): it is wrong, expired or revoked, or belongs \
         to a team; create one under the organization's Settings > API > Tokens"
    )]
    Token(Refusal),
    /// The token is valid but its role lacks permissions.
    #[error(
        "the API token may not read {}; give its role these permissions in Northflank, \
         they take effect at once",
        list(.0)
    )]
    Permissions(Vec<Missing>),
    /// Something else went wrong, maybe more than once.
    #[error("can't check the API token: {}", causes(.0))]
    Failed(Vec<Error>),
}

/// A scope that the token lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The scope.
    pub scope: Scope,
    /// Northflank's own name of the permission, where the answer gives one.
    pub named: Option<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} (needs {}", self.scope, self.scope.permission())?;
        if let Some(named) = &self.named {
            write!(formatter, ", which the API calls {named}")?;
        }
        formatter.write_str(")")
    }
}

fn list(missing: &[Missing]) -> String {
    missing.iter().map(Missing::to_string).collect::<Vec<_>>().join(" and ")
}

/// Each with the system's own account of it; nobody but this text keeps them.
fn causes(errors: &[Error]) -> String {
    errors.iter().map(|error| with_causes(error)).collect::<Vec<_>>().join(" and ")
}

/// Asks one cheap request of each scope. What an answer holds completely is returned.
pub async fn validate(client: &Client) -> Result<Known, ValidationError> {
    let (members, roles, groups) =
        tokio::join!(client.first_member(), client.first_role(), client.directory_groups());
    match (members, roles, groups) {
        (Ok(members), Ok(roles), Ok(groups)) => {
            Ok(Known { members: complete(members), roles: complete(roles), groups })
        }
        (members, roles, groups) => Err(verdict([
            (Scope::Members, members.err()),
            (Scope::Roles, roles.err()),
            (Scope::DirectoryGroups, groups.err()),
        ])),
    }
}

fn complete<T>(answer: Answer<T>) -> Option<Answer<T>> {
    answer.page.next.is_none().then_some(answer)
}

/// What the failed requests mean together. A 401 that names no permission is a bad token if
/// every endpoint gives it, and a missing permission if another endpoint knows the token.
fn verdict(outcomes: [(Scope, Option<Error>); 3]) -> ValidationError {
    let mut known_token = false;
    let mut refused_token = None;
    let mut missing = Vec::new();
    let mut failed = Vec::new();
    for (scope, error) in outcomes {
        let Some(error) = error else {
            known_token = true;
            continue;
        };
        match error.problem {
            Problem::Refused(answer) if answer.is_denied() => {
                known_token = true;
                missing.push(Missing { scope, named: answer.required_permission });
            }
            Problem::Refused(answer) if answer.status == StatusCode::UNAUTHORIZED => {
                missing.push(Missing { scope, named: None });
                refused_token = Some(answer);
            }
            problem => failed.push(Error { problem, ..error }),
        }
    }
    match refused_token {
        Some(answer) if !known_token => ValidationError::Token(answer),
        _ if !missing.is_empty() => ValidationError::Permissions(missing),
        _ => ValidationError::Failed(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, Problem, Scope, StatusCode, ValidationError, verdict};
    use crate::northflank::Refusal;

    fn refused(status: u16, permission: Option<&str>) -> Error {
        let refusal = Refusal {
            status: StatusCode::from_u16(status).unwrap(),
            message: None,
            id: None,
            required_permission: permission.map(Into::into),
            is_northflanks: true,
        };
        Error { endpoint: "/v1/x".into(), tries: 1, problem: Problem::Refused(refusal) }
    }

    fn of(members: Option<Error>, roles: Option<Error>, groups: Option<Error>) -> ValidationError {
        verdict([
            (Scope::Members, members),
            (Scope::Roles, roles),
            (Scope::DirectoryGroups, groups),
        ])
    }

    #[test]
    fn a_bare_401_from_everywhere_is_a_bad_token() {
        let error =
            of(Some(refused(401, None)), Some(refused(401, None)), Some(refused(401, None)));
        assert!(matches!(error, ValidationError::Token(_)), "{error}");
    }

    #[test]
    fn a_bare_401_beside_an_answer_is_a_missing_permission() {
        let error = of(Some(refused(401, None)), None, None).to_string();
        assert!(error.contains("members (needs Organization > Admin > Members > Read)"), "{error}");
        assert!(!error.contains("roles"), "{error}");
    }

    #[test]
    fn everything_that_is_missing_is_reported_together() {
        let error = of(
            Some(refused(403, None)),
            Some(refused(401, Some("os_admin_roles_read"))),
            Some(refused(401, None)),
        );
        let error = error.to_string();
        for part in [
            "members (needs Organization > Admin > Members > Read)",
            "roles (needs Organization > Admin > Roles > Read, which the API calls os_admin_roles_read)",
            "directory groups (needs Organization > Admin > Roles > Read)",
        ] {
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn another_failure_is_not_taken_for_a_missing_permission() {
        let error = of(Some(refused(502, None)), None, None);
        assert!(matches!(error, ValidationError::Failed(_)));
        assert!(error.to_string().contains("502 Bad Gateway"), "{error}");
    }
}
