//! Organizations of any size from a seed: the same seed and size give the same one.

use rand::Rng;
use rand::SeedableRng;
use rand::seq::{IndexedRandom, index};
use rand_chacha::ChaCha8Rng;

use crate::organization::{
    ApiToken, DirectoryUser, Email, Group, Member, Mode, Organization, Projects, RestrictedTeam,
    Restrictions, Role, Team, TeamRole,
};

/// How large an organization is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Members.
    pub members: usize,
    /// Roles.
    pub roles: usize,
    /// Directory groups.
    pub groups: usize,
    /// Rows that the member lists of all roles and groups have together, about.
    pub memberships: usize,
}

const GIVEN: &[&str] = &[
    "Ada", "Bo", "Chidi", "Dunya", "Élodie", "Farah", "Goran", "Hye-jin", "Ines", "Jonas", "Kofi",
    "Liora", "Marek", "Nadia", "Oisín", "Priya", "Quinn", "Rosa", "Søren", "Tomoko", "Uma", "Vera",
    "Wanjiru", "Xiulan", "Yusuf", "Zoë",
];

const FAMILY: &[&str] = &[
    "Abara",
    "Brandt",
    "Castillo",
    "Duarte",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lindqvist",
    "Müller",
    "Novak",
    "Okafor",
    "Petrov",
    "Quill",
    "Rossi",
    "Sato",
    "Tanaka",
    "Ueda",
    "Vargas",
    "Weiss",
    "Xu",
    "Yılmaz",
    "Zhang",
];

const AREAS: &[&str] = &[
    "Platform", "Billing", "Data", "Support", "Security", "Mobile", "Search", "Growth", "Finance",
    "Legal", "Design", "Quality",
];

impl Organization {
    /// An organization of about `size`, by `seed`.
    pub fn generate(seed: u64, size: Size) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let members: Vec<Member> =
            (0..size.members).map(|number| member(&mut random, number)).collect();
        // A group's accounts stand in its own list and in that of each role linked to it: with
        // four roles in ten linked to one group, half of all rows fit into groups and links.
        let in_groups = size.memberships / 2 * 10 / 14;
        let mut groups: Vec<Group> =
            (0..size.groups).map(|number| group(&mut random, number)).collect();
        let share = |number: usize, count: usize, rows: usize| {
            rows / count.max(1) + usize::from(number < rows % count.max(1))
        };
        for (number, group) in groups.iter_mut().enumerate() {
            // Some groups are empty.
            let rows = if number % 17 == 16 { 0 } else { share(number, size.groups, in_groups) };
            group.users = directory_users(&mut random, &members, rows);
        }
        let mut roles: Vec<Role> =
            (0..size.roles).map(|number| role(&mut random, number, &groups)).collect();
        let mut organization = Self { members, groups, ..Self::default() };
        let group_rows: usize = organization.groups.iter().map(|group| group.users.len()).sum();
        let role_rows: usize = roles.iter().map(|role| organization.role_members(role).len()).sum();
        let by_hand = size.memberships.saturating_sub(group_rows + role_rows);
        for (number, role) in roles.iter_mut().enumerate() {
            let rows = share(number, size.roles, by_hand);
            role.explicit = explicit(&mut random, &organization, role, rows);
        }
        organization.roles = roles;
        organization
    }
}

impl Organization {
    /// The same with so many teams, by `seed`: each with an owner's, an administrators' and a
    /// restricted role, an outsider, somebody without an id, and tokens of all kinds.
    #[must_use]
    pub fn with_teams(mut self, seed: u64, teams: usize) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        for number in 0..teams {
            let id = format!("outsider-{number}");
            let email = Email { address: format!("{id}@elsewhere.test"), verified: true };
            self.members.push(Member {
                id,
                name: Some(format!("Outsider {number}")),
                emails: vec![email],
                finalized: number % 3 != 2,
                ..Member::default()
            });
        }
        self.teams = (0..teams).map(|number| team(&mut random, number, &self.members)).collect();
        let creator = self.members.first().and_then(|member| member.emails.last());
        let creator = creator.map(|email| email.address.clone());
        self.tokens = tokens("organization", creator.as_deref());
        self
    }
}

fn team(random: &mut ChaCha8Rng, number: usize, members: &[Member]) -> Team {
    let listed: Vec<_> = members.iter().filter(|member| member.listed).collect();
    let mut account = |count: usize| -> Vec<DirectoryUser> {
        let sample = index::sample(random, listed.len(), count.min(listed.len()));
        sample.into_iter().map(|index| DirectoryUser::Account(listed[index].id.clone())).collect()
    };
    let outsider = || DirectoryUser::Account(format!("outsider-{number}"));
    let nobody = || DirectoryUser::Unprovisioned {
        name: None,
        emails: vec![format!("invited-{number}@elsewhere.test")],
    };
    let role = |id: &str, name: &str, holders| TeamRole {
        id: id.to_owned(),
        name: name.to_owned(),
        holders,
        created_at: "2026-02-01T00:00:00.000Z".into(),
        updated_at: "2026-03-01T00:00:00.000Z".into(),
        ..TeamRole::default()
    };
    let projects = Projects { mode: Mode::In, ids: vec!["billing-db".into()] };
    // The first has several pages of members.
    let mut team_members = account(if number == 0 { 130 } else { 5 + number });
    let mut admins = account(3);
    admins.push(outsider());
    let roles = vec![
        role("owner", "Owner", account(1)),
        role("admin", "Admin", admins),
        TeamRole { projects: Some(projects), ..role("default", "Default", team_members.clone()) },
        role("unheld", "Unheld", Vec::new()),
    ];
    team_members.extend([outsider(), nobody()]);
    let id = format!("team-{number}");
    Team {
        name: format!("Team {number}"),
        description: number.is_multiple_of(2).then(|| format!("Team number {number}")),
        uid: format!("65b0f0c2d9b8e716{number:08}"),
        created_at: "2026-01-15T08:00:00.000Z".into(),
        members: team_members,
        roles,
        tokens: tokens(&id, Some(&format!("outsider-{number}@elsewhere.test"))),
        id,
    }
}

/// One of each kind.
fn tokens(owner: &str, creator: Option<&str>) -> Vec<ApiToken> {
    let token = |id: &str, role: (&str, &str)| ApiToken {
        id: id.to_owned(),
        name: format!("{id} of {owner}"),
        role: Some((role.0.to_owned(), role.1.to_owned())),
        creator: creator.map(str::to_owned),
        created_at: "2026-01-20T08:00:00.000Z".into(),
        expires_at: Some("2027-01-20T08:00:00.000Z".into()),
        last_used_at: Some("2026-11-20T08:00:00.000Z".into()),
        ..ApiToken::default()
    };
    vec![
        token("deploy", ("admin", "Admin")),
        ApiToken { expires_at: None, ..token("forever", ("owner", "Owner")) },
        ApiToken {
            creator: Some("gone@acme.test".into()),
            last_used_at: None,
            ..token("unused", ("admin", "Admin"))
        },
        ApiToken { role: None, creator: None, ..token("bare", ("", "")) },
        ApiToken { is_revoked: true, ..token("revoked", ("admin", "Admin")) },
    ]
}

fn member(random: &mut ChaCha8Rng, number: usize) -> Member {
    let given = GIVEN.choose(random).copied().unwrap_or("Ada");
    let family = FAMILY.choose(random).copied().unwrap_or("Quill");
    let handle: String = format!("{given}-{family}")
        .to_lowercase()
        .chars()
        .filter(|char| char.is_ascii_alphanumeric() || *char == '-')
        .collect();
    let id = format!("{handle}-{number}");
    let finalized = !random.random_ratio(1, 25);
    let mut emails = vec![Email { address: format!("{id}@acme.test"), verified: finalized }];
    if random.random_ratio(1, 10) {
        emails.insert(0, Email { address: format!("{id}@old.acme.test"), verified: false });
    }
    Member {
        id,
        name: finalized.then(|| format!("{given} {family}")),
        emails,
        joined_at: finalized.then(|| time(random)),
        // Not drawn, so that a seed gives the organization that it always gave.
        last_login: (finalized && number % 4 != 3).then(|| {
            let (month, day) = (number % 10 + 1, number % 28 + 1);
            format!("2026-{month:02}-{day:02}T{:02}:30:00.000Z", number % 24)
        }),
        finalized,
        listed: true,
    }
}

fn group(random: &mut ChaCha8Rng, number: usize) -> Group {
    let area = AREAS.choose(random).copied().unwrap_or("Platform");
    let created_at = time(random);
    Group {
        id: format!("directory_group_01HZX3M9Q2T7V5W8Y0{number:010}"),
        name: format!("{area} {number}"),
        idp_id: format!("00g{:08x}", random.random::<u32>()),
        updated_at: created_at.clone(),
        created_at,
        users: Vec::new(),
    }
}

fn directory_users(random: &mut ChaCha8Rng, members: &[Member], rows: usize) -> Vec<DirectoryUser> {
    let unprovisioned = if rows > 20 { rows / 100 + 1 } else { 0 };
    let accounts = (rows - unprovisioned).min(members.len());
    let mut users: Vec<DirectoryUser> = index::sample(random, members.len(), accounts)
        .into_iter()
        .map(|index| DirectoryUser::Account(members[index].id.clone()))
        .collect();
    users.extend((0..unprovisioned).map(|number| DirectoryUser::Unprovisioned {
        name: (number % 2 == 0).then(|| format!("Newcomer {number}")),
        emails: vec![format!("newcomer-{number}@acme.test")],
    }));
    users
}

fn role(random: &mut ChaCha8Rng, number: usize, groups: &[Group]) -> Role {
    let area = AREAS.choose(random).copied().unwrap_or("Platform");
    let linked = if !groups.is_empty() && number % 5 < 2 {
        // One group mostly, sometimes more.
        let count = if number.is_multiple_of(25) { 3.min(groups.len()) } else { 1 };
        index::sample(random, groups.len(), count)
            .into_iter()
            .map(|index| groups[index].id.clone())
            .collect()
    } else {
        Vec::new()
    };
    let created_at = time(random);
    Role {
        id: format!("{}-{number}", area.to_lowercase()),
        name: format!("{area} {number}"),
        description: (!number.is_multiple_of(3))
            .then(|| format!("What {area} needs, number {number}")),
        restrictions: restrictions(random, number),
        directory_groups: linked,
        updated_at: created_at.clone(),
        created_at,
        ..Role::default()
    }
}

fn restrictions(random: &mut ChaCha8Rng, number: usize) -> Restrictions {
    let team = |name: &str, projects| RestrictedTeam { id: name.to_owned(), projects };
    let projects = |mode, random: &mut ChaCha8Rng| {
        let ids = (0..random.random_range(1..4)).map(|number| format!("project-{number}"));
        Some(Projects { mode, ids: ids.collect() })
    };
    match number % 6 {
        3 => Restrictions { enabled: true, teams: vec![team("core-infra", None)] },
        4 => Restrictions {
            enabled: true,
            teams: vec![
                team("core-infra", projects(Mode::NotIn, random)),
                team("web", projects(Mode::In, random)),
            ],
        },
        _ => Restrictions::default(),
    }
}

/// Members added by hand; about one in ten holds the role through a group as well, and so
/// adds no row.
fn explicit(
    random: &mut ChaCha8Rng,
    organization: &Organization,
    role: &Role,
    rows: usize,
) -> Vec<String> {
    let implicit: Vec<String> =
        organization.role_members(role).iter().map(|row| row.id.to_owned()).collect();
    let held: std::collections::HashSet<&str> = implicit.iter().map(String::as_str).collect();
    let both = implicit.iter().take(rows / 10).cloned();
    let wanted = rows.min(organization.members.len());
    let more = index::sample(
        random,
        organization.members.len(),
        (wanted + held.len()).min(organization.members.len()),
    )
    .into_iter()
    .map(|index| organization.members[index].id.clone())
    .filter(|id| !held.contains(id.as_str()))
    .take(wanted);
    both.chain(more).collect()
}

fn time(random: &mut ChaCha8Rng) -> String {
    format!(
        "202{}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
        random.random_range(3..6),
        random.random_range(1..13),
        random.random_range(1..29),
        random.random_range(0..24),
        random.random_range(0..60),
        random.random_range(0..60),
        random.random_range(0..1000)
    )
}

#[cfg(test)]
mod tests {
    use super::{Organization, Size};

    #[test]
    fn the_same_seed_gives_the_same_organization() {
        let size = Size { members: 50, roles: 6, groups: 4, memberships: 200 };
        assert_eq!(Organization::generate(7, size), Organization::generate(7, size));
        assert_ne!(Organization::generate(7, size), Organization::generate(8, size));
    }

    #[test]
    fn memberships_are_about_as_many_as_asked_for() {
        for memberships in [1_000, 50_000] {
            let size = Size { members: 5_000, roles: 50, groups: 50, memberships };
            let organization = Organization::generate(1, size);
            let roles = organization.roles.iter().map(|role| organization.role_members(role).len());
            let groups = organization.groups.iter().map(|group| group.users.len());
            let rows = roles.sum::<usize>() + groups.sum::<usize>();
            assert!(rows.abs_diff(memberships) * 100 <= memberships, "{rows} for {memberships}");
        }
    }

    #[test]
    fn there_is_somebody_of_every_kind() {
        let size = Size { members: 500, roles: 30, groups: 20, memberships: 3_000 };
        let organization = Organization::generate(3, size);
        assert!(organization.members.iter().any(|member| !member.finalized));
        let holders: Vec<_> =
            organization.roles.iter().flat_map(|role| organization.role_members(role)).collect();
        assert!(holders.iter().any(|row| row.explicit && row.implicit));
        assert!(holders.iter().any(|row| !row.explicit && row.implicit));
        assert!(organization.groups.iter().any(|group| group.users.is_empty()));
        assert!(
            organization.groups.iter().any(|group| group.accounts().count() < group.users.len())
        );
    }
}
