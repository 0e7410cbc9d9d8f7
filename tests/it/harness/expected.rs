//! What a sync file must hold, worked out from the organization in another way than the
//! connector does it: straight from the sets of members, without pages or staging.

use std::collections::{BTreeMap, BTreeSet};

use fake_northflank::{DirectoryUser, Member, Organization, Role};

/// A grant, by what it says besides its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedGrant {
    pub entitlement: String,
    pub principal: (String, String),
    /// Entitlements through which the principal holds it; each held directly.
    pub sources: BTreeSet<String>,
    /// The short names of its annotations, sorted.
    pub annotations: Vec<&'static str>,
    /// The entitlement whose holders inherit it.
    pub expands: Option<String>,
}

/// All grants by id.
pub fn grants(organization: &Organization) -> BTreeMap<String, ExpectedGrant> {
    let mut grants = BTreeMap::new();
    for group in &organization.groups {
        for account in group.accounts() {
            let entitlement = format!("group:{}:member", group.id);
            add(&mut grants, &entitlement, ("user", account), &[], &["GrantImmutable"], None);
        }
    }
    for role in &organization.roles {
        let entitlement = format!("role:{}:assigned", role.id);
        for group in linked(organization, role) {
            let member = format!("group:{group}:member");
            let principal = ("group", group);
            add(&mut grants, &entitlement, principal, &[], &["GrantImmutable"], Some(member));
        }
        for holder in organization.role_members(role) {
            let groups: Vec<String> = linked(organization, role)
                .into_iter()
                .filter(|id| {
                    let mut groups = organization.groups.iter().filter(|group| group.id == *id);
                    groups.any(|group| group.accounts().any(|account| account == holder.id))
                })
                .map(|id| format!("group:{id}:member"))
                .collect();
            let mut sources: Vec<&str> = groups.iter().map(String::as_str).collect();
            let annotations: &[_] = match (holder.explicit, sources.is_empty()) {
                (true, true) => &[],
                (true, false) => {
                    sources.push(&entitlement);
                    &[]
                }
                (false, true) => &["GrantImmutable", "GrantMetadata"],
                (false, false) => &["GrantImmutable"],
            };
            let principal = ("user", holder.id);
            add(&mut grants, &entitlement, principal, &sources, annotations, None);
        }
    }
    grants
}

/// All grants by id, those of teams and their roles among them.
pub fn grants_with_teams(organization: &Organization) -> BTreeMap<String, ExpectedGrant> {
    let mut grants = grants(organization);
    for (entitlement, users) in entitlements_of_teams(organization) {
        for id in users {
            add(&mut grants, &entitlement, ("user", &id), &[], &[], None);
        }
    }
    grants
}

/// The entitlements of teams and their roles, and the ids of those who hold each.
fn entitlements_of_teams(organization: &Organization) -> BTreeMap<String, Vec<String>> {
    let accounts = |users: &[DirectoryUser]| -> Vec<String> {
        let ids = users.iter().filter_map(|user| match user {
            DirectoryUser::Account(id) => Some(id.clone()),
            DirectoryUser::Unprovisioned { .. } => None,
        });
        ids.collect()
    };
    let mut entitlements = BTreeMap::new();
    for team in &organization.teams {
        entitlements.insert(format!("team:{}:member", team.id), accounts(&team.members));
        for role in &team.roles {
            let id = format!("team-role:{}/{}:assigned", team.id, role.id);
            entitlements.insert(id, accounts(&role.holders));
        }
    }
    entitlements
}

/// The keys of all resources, teams, their roles and whoever is in them among them.
pub fn resources_with_teams(organization: &Organization) -> BTreeSet<String> {
    let mut resources = resources(organization);
    for (entitlement, users) in entitlements_of_teams(organization) {
        resources.extend(entitlement.rsplit_once(':').map(|(resource, _)| resource.to_owned()));
        resources.extend(users.iter().map(|id| format!("user:{id}")));
    }
    resources
}

/// The keys of all API tokens that can be used.
pub fn tokens(organization: &Organization) -> BTreeSet<String> {
    let of_teams = organization.teams.iter().map(|team| (team.id.as_str(), &team.tokens));
    let all = of_teams.chain([("@organization", &organization.tokens)]);
    let keys = all.flat_map(|(owner, tokens)| {
        let active = tokens.iter().filter(|token| !token.is_revoked);
        active.map(move |token| format!("api-token:{owner}/{}", token.id))
    });
    keys.collect()
}

fn add(
    grants: &mut BTreeMap<String, ExpectedGrant>,
    entitlement: &str,
    (principal_type, principal): (&str, &str),
    sources: &[&str],
    annotations: &[&'static str],
    expands: Option<String>,
) {
    let grant = ExpectedGrant {
        entitlement: entitlement.to_owned(),
        principal: (principal_type.to_owned(), principal.to_owned()),
        sources: sources.iter().map(|source| (*source).to_owned()).collect(),
        annotations: annotations.to_vec(),
        expands,
    };
    grants.insert(format!("{entitlement}:{principal_type}:{principal}"), grant);
}

/// The ids of a role's linked groups that exist.
fn linked<'role>(organization: &Organization, role: &'role Role) -> BTreeSet<&'role str> {
    let exists = |id: &&str| organization.groups.iter().any(|group| group.id == *id);
    role.directory_groups.iter().map(String::as_str).filter(exists).collect()
}

/// The keys of all resources: everybody listed, and whoever else holds something.
pub fn resources(organization: &Organization) -> BTreeSet<String> {
    let listed = organization.members.iter().filter(|member| member.listed);
    let holders = organization.roles.iter().flat_map(|role| organization.role_members(role));
    let users = listed
        .map(|member: &Member| member.id.as_str())
        .chain(holders.map(|holder| holder.id))
        .chain(organization.groups.iter().flat_map(|group| &group.users).filter_map(|user| {
            match user {
                DirectoryUser::Account(id) => Some(id.as_str()),
                DirectoryUser::Unprovisioned { .. } => None,
            }
        }))
        .map(|id| format!("user:{id}"));
    let roles = organization.roles.iter().map(|role| format!("role:{}", role.id));
    let groups = organization.groups.iter().map(|group| format!("group:{}", group.id));
    users.chain(roles).chain(groups).collect()
}
