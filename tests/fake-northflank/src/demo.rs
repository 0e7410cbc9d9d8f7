//! The demo's organization: small enough to look at, with one of everything.

use crate::organization::{
    DirectoryUser, Email, Group, Member, Mode, Organization, Projects, Restrictions, Role, Team,
};

impl Organization {
    /// Marlow Freight, a made-up logistics company that runs on Northflank.
    pub fn demo() -> Self {
        let members =
            PEOPLE.iter().enumerate().map(|(number, (id, name))| member(number, id, name));
        Self { members: members.chain([invited()]).collect(), roles: roles(), groups: groups() }
    }
}

const PEOPLE: &[(&str, &str)] = &[
    ("ada-marlow", "Ada Marlow"),
    ("ben-okafor", "Ben Okafor"),
    ("carla-rossi", "Carla Rossi"),
    ("daniel-weiss", "Daniel Weiss"),
    ("elodie-martin", "Élodie Martin"),
    ("farah-haddad", "Farah Haddad"),
    ("goran-petrov", "Goran Petrov"),
    ("hye-jin-park", "Hye-jin Park"),
    ("ines-duarte", "Inês Duarte"),
    ("jonas-lindqvist", "Jonas Lindqvist"),
    ("kofi-mensah", "Kofi Mensah"),
    ("liora-katz", "Liora Katz"),
    ("marek-novak", "Marek Novák"),
    ("nadia-ivanova", "Nadia Ivanova"),
    ("oisin-byrne", "Oisín Byrne"),
    ("priya-raman", "Priya Raman"),
    ("quinn-abara", "Quinn Abara"),
    ("rosa-castillo", "Rosa Castillo"),
    ("soren-eriksen", "Søren Eriksen"),
    ("tomoko-sato", "Tomoko Sato"),
    ("uma-vargas", "Uma Vargas"),
    ("vera-jansen", "Vera Jansen"),
    ("yusuf-yilmaz", "Yusuf Yılmaz"),
];

fn member(number: usize, id: &str, name: &str) -> Member {
    let mut emails =
        vec![Email { address: format!("{}@marlow.example", id.replace('-', ".")), verified: true }];
    if number == 0 {
        // The founder's first address is not the one in use.
        emails.insert(0, Email { address: "ada@marlow-old.example".into(), verified: false });
    }
    Member {
        id: id.to_owned(),
        name: Some(name.to_owned()),
        emails,
        joined_at: Some(format!("2025-{:02}-{:02}T09:12:07.018Z", number % 12 + 1, number + 1)),
        // Some haven't logged in for long, and of some nobody knows.
        last_login: (number % 5 != 4).then(|| {
            let (month, day) = (number % 11 + 1, number + 2);
            format!("2026-{month:02}-{day:02}T14:03:59.120Z")
        }),
        finalized: true,
        listed: true,
    }
}

/// Somebody who hasn't set up the account yet.
fn invited() -> Member {
    Member {
        id: "pending-7f3a".into(),
        name: None,
        emails: vec![Email { address: "new.hire@marlow.example".into(), verified: false }],
        joined_at: None,
        last_login: None,
        finalized: false,
        listed: true,
    }
}

fn ids(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

const ENGINEERING: &str = "directory_group_01HZX3M9Q2T7V5W8Y0ENGINEER";
const ON_CALL: &str = "directory_group_01HZX3M9Q2T7V5W8Y00ONCALL0";
const FINANCE: &str = "directory_group_01HZX3M9Q2T7V5W8Y0FINANCE0";
const SUPPORT: &str = "directory_group_01HZX3M9Q2T7V5W8Y0SUPPORT0";
const CONTRACTORS: &str = "directory_group_01HZX3M9Q2T7V5W8Y0EXTERNAL";

fn groups() -> Vec<Group> {
    let group = |id: &str, name: &str, idp_id: &str, accounts: &[&str]| Group {
        id: id.into(),
        name: name.into(),
        idp_id: idp_id.into(),
        created_at: "2025-01-09T10:30:00.000Z".into(),
        updated_at: "2025-11-02T08:00:00.000Z".into(),
        users: ids(accounts).into_iter().map(DirectoryUser::Account).collect(),
    };
    let mut support = group(
        SUPPORT,
        "Customer Support",
        "00g4support",
        &["rosa-castillo", "uma-vargas", "yusuf-yilmaz", "tomoko-sato"],
    );
    // In the directory already, without a Northflank account.
    support.users.push(DirectoryUser::Unprovisioned {
        name: Some("Zoë Quill".into()),
        emails: vec!["zoe.quill@marlow.example".into()],
    });
    vec![
        group(
            ENGINEERING,
            "Engineering ✈",
            "00g1engineering",
            &[
                "ben-okafor",
                "carla-rossi",
                "daniel-weiss",
                "elodie-martin",
                "goran-petrov",
                "hye-jin-park",
                "jonas-lindqvist",
                "kofi-mensah",
                "priya-raman",
            ],
        ),
        group(ON_CALL, "On call", "00g2oncall", &["carla-rossi", "goran-petrov", "priya-raman"]),
        group(FINANCE, "Finance", "00g3finance", &["ines-duarte", "liora-katz"]),
        support,
        group(CONTRACTORS, "Contractors", "00g5contractors", &[]),
    ]
}

fn roles() -> Vec<Role> {
    let role = |id: &str, name: &str, description: &str, groups: &[&str], explicit: &[&str]| Role {
        id: id.into(),
        name: name.into(),
        description: Some(description.into()),
        directory_groups: ids(groups),
        explicit: ids(explicit),
        created_at: "2025-02-01T12:00:00.000Z".into(),
        updated_at: "2025-10-20T16:45:00.000Z".into(),
        ..Role::default()
    };
    let projects = |mode, names: &[&str]| Some(Projects { mode, ids: ids(names) });
    let team = |id: &str, projects| Team { id: id.into(), projects };
    vec![
        role("owner", "Owner", "Everything", &[], &["ada-marlow", "ben-okafor"]),
        Role {
            restrictions: Restrictions {
                enabled: true,
                teams: vec![
                    team("core-infra", projects(Mode::NotIn, &["billing-db"])),
                    team("web", None),
                ],
            },
            // Daniel is in the group as well.
            ..role(
                "platform-eng",
                "Platform Engineering",
                "Builds and deploys everything but billing",
                &[ENGINEERING],
                &["daniel-weiss", "soren-eriksen"],
            )
        },
        Role {
            restrictions: Restrictions {
                enabled: true,
                teams: vec![team("core-infra", projects(Mode::In, &["billing-db"]))],
            },
            ..role(
                "billing-ops",
                "Billing Operations",
                "Runs the billing database",
                &[FINANCE, ON_CALL],
                &["marek-novak"],
            )
        },
        role(
            "incident-response",
            "Incident Response",
            "May restart anything at night",
            &[ON_CALL],
            &["vera-jansen"],
        ),
        role(
            "viewer",
            "Viewer",
            "Sees everything, changes nothing",
            &[SUPPORT, CONTRACTORS],
            &["farah-haddad", "nadia-ivanova", "oisin-byrne", "quinn-abara", "pending-7f3a"],
        ),
        role("auditor", "Auditor", "Used once a year, held by nobody in between", &[], &[]),
    ]
}
