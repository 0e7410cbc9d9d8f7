//! What the API answers.

use serde_json::{Value, json};

use super::organization::DemoOrganization;

/// The answer to a request for `path`; `None` where there is nothing.
pub(super) fn answer(organization: &DemoOrganization, path: &str) -> Option<Value> {
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let rows = match segments.as_slice() {
        ["v1", "auth"] => return Some(json!({"data": organization.auth})),
        ["v1", "org-members"] => organization.members.clone(),
        ["v1", "org-roles"] => organization.roles.iter().map(|role| role.row.clone()).collect(),
        ["v1", "org-roles", id, "members"] => organization.role_members(id)?,
        ["v1", "directory-groups"] => {
            organization.groups.iter().map(|group| group.row.clone()).collect()
        }
        ["v1", "directory-groups", id, "members"] => organization.group_members(id)?,
        ["v1", "teams"] => organization.teams.iter().map(|team| team.row.clone()).collect(),
        ["v1", "teams", id, "members"] => organization.team_members(id)?,
        ["v1", "teams", id, "roles"] => organization.team(id)?.roles(),
        ["v1", "teams", id, "roles", role, "members"] => {
            organization.team_role_members(id, role)?
        }
        ["v1", "teams", id, "tokens"] => organization.team(id)?.tokens.clone(),
        ["v1", "tokens"] => organization.tokens.clone(),
        _ => return None,
    };
    let key = match segments.as_slice() {
        [_, "org-roles"] | [_, "teams", _, "roles"] => "roles",
        [_, "directory-groups"] => "directoryGroups",
        [_, "teams"] => "teams",
        [_, "tokens"] | [_, "teams", _, "tokens"] => "tokens",
        _ => "members",
    };
    // Each list is one page: the organization is small.
    let pagination = json!({"hasNextPage": false, "count": rows.len()});
    Some(json!({"data": {key: rows}, "pagination": pagination}))
}

#[cfg(test)]
mod tests {
    use super::super::organization::{DemoDay, DemoOrganization};
    use super::answer;

    #[test]
    fn each_list_is_told_by_its_own_key() {
        let organization = DemoOrganization::on(DemoDay::First).unwrap();
        for (path, key, rows) in [
            ("/v1/org-members", "members", 24),
            ("/v1/org-roles", "roles", 6),
            ("/v1/org-roles/owner/members", "members", 2),
            ("/v1/directory-groups", "directoryGroups", 5),
            ("/v1/teams", "teams", 2),
            ("/v1/teams/core-infra/members", "members", 5),
            ("/v1/teams/core-infra/roles", "roles", 2),
            ("/v1/teams/core-infra/roles/deployer/members", "members", 2),
            ("/v1/teams/core-infra/tokens", "tokens", 1),
            ("/v1/tokens", "tokens", 2),
        ] {
            let answer = answer(&organization, path).unwrap();
            assert_eq!(answer["data"][key].as_array().unwrap().len(), rows, "{path}");
            assert_eq!(answer["pagination"]["count"], rows);
        }
        assert_eq!(
            answer(&organization, "/v1/auth").unwrap()["data"]["entityId"],
            "marlow-freight"
        );
        for path in ["/", "/v2/org-members", "/v1/org-roles/nobody/members"] {
            assert!(answer(&organization, path).is_none(), "{path}");
        }
    }
}
