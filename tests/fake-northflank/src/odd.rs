//! An organization of oddities that the API's documentation doesn't rule out.

use crate::organization::{
    DirectoryUser, Email, Group, Member, Mode, Organization, Projects, RestrictedTeam,
    Restrictions, Role,
};

/// A time that nothing depends on.
const TIME: &str = "2025-02-01T12:00:00.000Z";

impl Organization {
    /// Names of ten thousand characters, without characters, right to left, of emoji, of
    /// combining characters, with control characters and NUL; ids that differ in case only or
    /// are what another kind's object is called; addresses that several members share; a
    /// linked group that doesn't exist and one without members.
    pub fn odd() -> Self {
        let named = |id: &str, name: &str| Member {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            emails: vec![Email { address: "shared@acme.test".into(), verified: true }],
            joined_at: Some(TIME.into()),
            last_login: Some(TIME.into()),
            finalized: true,
            listed: true,
        };
        let members = vec![
            named("long", &"long name ".repeat(1_000)),
            named("emoji-long", &"👩‍👩‍👧‍👦".repeat(1_400)),
            named("empty", ""),
            named("blank", " \t "),
            named("rtl", "\u{202e}מנהל\u{202c} مدير"),
            named("emoji", "🦀🏳️‍🌈🇳🇱"),
            named("combining", "Zo\u{308}e\u{301}\u{489}\u{489}\u{489}"),
            named("nul", "before\0after"),
            named("controls", "\u{1b}[2J\u{1b}]0;title\u{7}\r\nnext\u{85}\u{9b}31m"),
            named("ADA", "Ada"),
            named("ada", "Ada"),
            named("Ada", "Ada"),
            named("admin", "called like a role"),
            named("directory_group_1", "called like a group"),
            named("user", "called like a type"),
            named("...", "dots"),
            named("a b/c?d#e%2Ff&g=h+é", "punctuation"),
            Member { name: None, emails: Vec::new(), ..named("nobody", "") },
        ];
        let role = |id: &str, name: &str, groups: &[&str], explicit: &[&str]| Role {
            id: id.to_owned(),
            name: name.to_owned(),
            directory_groups: groups.iter().map(|id| (*id).to_owned()).collect(),
            explicit: explicit.iter().map(|id| (*id).to_owned()).collect(),
            created_at: TIME.into(),
            updated_at: TIME.into(),
            ..Role::default()
        };
        let group = |id: &str, name: &str, users: &[&str]| Group {
            id: id.to_owned(),
            name: name.to_owned(),
            idp_id: "00g".into(),
            created_at: TIME.into(),
            updated_at: TIME.into(),
            users: users.iter().map(|id| DirectoryUser::Account((*id).to_owned())).collect(),
        };
        let team = |id: &str, projects| RestrictedTeam { id: id.to_owned(), projects };
        let restricted = Restrictions {
            enabled: true,
            teams: vec![
                team("core", Some(Projects { mode: Mode::NotIn, ids: Vec::new() })),
                team("", None),
            ],
        };
        let mut groups = vec![
            group("directory_group_1", "admin", &["ADA", "ada", "nul"]),
            group("directory_GROUP_1", "admin", &["Ada", "ada"]),
            group("admin", "\0", &["long", "user", "a b/c?d#e%2Ff&g=h+é"]),
            group("nobody-in-it", "\u{202e}", &[]),
        ];
        groups[0].users.push(DirectoryUser::Unprovisioned { name: None, emails: Vec::new() });
        groups[0].users.push(DirectoryUser::Unprovisioned {
            name: Some("shares an address".into()),
            emails: vec!["shared@acme.test".into()],
        });
        let roles = vec![
            // The same id as a group, linked to it and to one that differs in case only.
            role(
                "directory_group_1",
                "directory_group_1",
                &["directory_group_1", "directory_GROUP_1"],
                &["ada"],
            ),
            role("admin", "", &["admin", "no-such-group"], &["ADA", "emoji-long", "controls"]),
            role("Admin", &"r".repeat(10_000), &["nobody-in-it"], &["rtl"]),
            role("a b/c?d#e%2Ff&g=h+é", "a\0b\u{1b}c", &["nobody-in-it"], &["..."]),
            Role {
                description: Some("d\0\u{202e}".repeat(5_000)),
                restrictions: restricted,
                ..role("restricted", "🔒", &[], &["combining", "nobody"])
            },
            role("unheld", "unheld", &[], &[]),
        ];
        Self { members, roles, groups, ..Self::default() }
    }
}
