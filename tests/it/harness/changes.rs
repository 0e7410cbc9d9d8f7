//! The demo's organization some time later.

use fake_northflank::{DirectoryUser, Email, Member, Organization};

/// Somebody came through a group and somebody left, an owner was removed, a role deleted and
/// another renamed, an account set up, and a role is held through a group only that was held
/// by hand as well.
pub fn changed_demo() -> Organization {
    let mut organization = Organization::demo();
    organization.members.retain(|member| member.id != "uma-vargas");
    let pending = organization.members.iter_mut().find(|member| member.id == "pending-7f3a");
    let pending = pending.unwrap();
    pending.finalized = true;
    pending.name = Some("New Hire".into());
    organization.members.push(newcomer());
    for group in &mut organization.groups {
        group.users.retain(|user| *user != DirectoryUser::Account("uma-vargas".into()));
        for user in &mut group.users {
            if matches!(user, DirectoryUser::Unprovisioned { .. }) {
                *user = DirectoryUser::Account("zoe-quill".into());
            }
        }
    }
    organization.roles.retain(|role| role.id != "auditor");
    for role in &mut organization.roles {
        role.explicit.retain(|user| match role.id.as_str() {
            "owner" => user != "ben-okafor",
            "platform-eng" => user != "daniel-weiss",
            _ => true,
        });
        if role.id == "owner" {
            role.name = "Owners".into();
        }
    }
    organization
}

/// The same on a quiet day, few enough to look at: somebody came through a group that two roles
/// are linked to, somebody left, and an owner was removed.
pub fn quietly_changed_demo() -> Organization {
    let mut organization = Organization::demo();
    organization.members.retain(|member| member.id != "uma-vargas");
    organization.members.push(newcomer());
    for group in &mut organization.groups {
        group.users.retain(|user| *user != DirectoryUser::Account("uma-vargas".into()));
        if group.name == "On call" {
            group.users.push(DirectoryUser::Account("zoe-quill".into()));
        }
    }
    for role in &mut organization.roles {
        role.explicit.retain(|user| role.id != "owner" || user != "ben-okafor");
    }
    organization
}

/// Nothing has happened but that everybody whose account is set up has logged in.
pub fn demo_after_logins() -> Organization {
    let mut organization = Organization::demo();
    for member in organization.members.iter_mut().filter(|member| member.finalized) {
        member.last_login = Some("2026-11-24T18:00:00.000Z".into());
    }
    organization
}

fn newcomer() -> Member {
    Member {
        id: "zoe-quill".into(),
        name: Some("Zoë Quill".into()),
        emails: vec![Email { address: "zoe.quill@marlow.example".into(), verified: true }],
        joined_at: Some("2026-11-20T09:00:00.000Z".into()),
        last_login: None,
        finalized: true,
        listed: true,
    }
}
