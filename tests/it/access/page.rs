//! What stands on the page, as far as that needs no browser.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_northflank::{Email, Member, Organization, Role};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use super::{printed, puzzling, sync, synced};
use crate::harness::changes::changed_demo;

fn between<'text>(text: &'text str, start: &str, end: &str) -> &'text str {
    text.split(start).nth(1).unwrap().split(end).next().unwrap()
}

#[test]
fn a_page_may_do_nothing_but_what_stands_in_it() {
    let room = synced(&Organization::demo());
    let page = printed(&room, &["--format", "html"]);
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    let policy = policy.replace("&#39;", "'");
    assert_eq!(
        policy,
        format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
             form-action 'none'",
            hash(between(&page, "<style>", "</style>")),
            hash(between(&page, "<script>", "</script>"))
        )
    );
    assert_eq!(page.matches("<style").count() + page.matches("<script").count(), 2);
    // Nothing that the policy would have to refuse, and nothing elsewhere.
    for part in [" style=", " onclick", " src=", "http://", "https://", "<form", "<link", "@import"]
    {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn a_page_says_which_file_it_was_made_from() {
    let room = synced(&Organization::demo());
    let page = printed(&room, &["--format", "html", "--title", "Marlow <Freight>"]);
    let bytes = std::fs::read(room.file("sync.c1z")).unwrap();
    let digest = Sha256::digest(&bytes);
    let digest = digest.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert!(page.contains(&digest));
    let size = between(&page, "<bdi>sync.c1z</bdi>, ", " bytes");
    assert_eq!(size.replace('\u{202f}', ""), bytes.len().to_string());
    assert!(page.contains("<title>Marlow &#60;Freight&#62;: who has access</title>"));
    for part in [
        "<dt>Organization</dt><dd><bdi>acme</bdi></dd>".to_owned(),
        format!("Made by baton-northflank {} from the file above", env!("CARGO_PKG_VERSION")),
        "All times are in UTC".to_owned(),
        "doesn&#39;t tell who owns the organization, who signs in with a second factor".to_owned(),
    ] {
        assert!(page.contains(&part), "{part}");
    }
    // Nobody has said what it is called.
    let page = printed(&room, &["--format", "html"]);
    assert!(page.contains("<title>acme: who has access</title>"));
    for count in ["<b>24</b> people", "<b>6</b> roles", "<b>5</b> groups", "<b>55</b> grants"] {
        assert!(page.contains(count), "{count}");
    }
}

#[test]
fn what_is_worth_a_look_is_found_and_counted() {
    let mut organization = puzzling();
    // Somebody whom only a role knows.
    organization.members[4].listed = false;
    let page = printed(&synced(&organization), &["--format", "html"]);
    let found: Vec<_> = page
        .split("<span class=\"figure\">")
        .skip(1)
        .map(|part| (between(part, "<span>", "</span>"), part.split('<').next().unwrap()))
        .collect();
    for finding in [
        ("Accounts that can&#39;t be used and hold something", "1"),
        ("People outside the member list", "1"),
        ("Memberships that nothing explains", "1"),
        ("Roles held by hand beside a group", "1"),
        ("Linked groups that are missing", "1"),
        ("Unverified addresses", "1"),
    ] {
        assert!(found.contains(&finding), "{finding:?} not in {found:?}");
    }
    assert!(page.contains("directory_group_0GONE"));
    let page = printed(&synced(&Organization::demo()), &["--format", "html"]);
    assert!(page.contains("<span class=\"clear\">Memberships that nothing explains</span>"));
}

/// How often each finding is counted, by title.
fn findings(page: &str) -> BTreeMap<String, usize> {
    let found = page.split("<span class=\"figure\">").skip(1);
    let found = found.map(|part| {
        let count = part.split('<').next().unwrap().parse().unwrap();
        (between(part, "<span>", "</span>").to_owned(), count)
    });
    found.collect()
}

#[test]
fn findings_and_pictures_count_what_the_page_has_no_room_for() {
    let mut organization = Organization::default();
    let member = |number: usize| Member {
        id: format!("member-{number:05}"),
        name: Some(format!("Member {number:05}")),
        emails: vec![Email { address: format!("m{number}@x.example"), verified: number < 10_000 }],
        joined_at: None,
        last_login: number.is_multiple_of(2).then(|| "2020-01-01T00:00:00.000Z".to_owned()),
        finalized: number < 10_000,
        listed: true,
    };
    organization.members = (0..10_200).map(member).collect();
    let role = |id: String, explicit: Vec<String>| Role {
        name: id.clone(),
        id,
        explicit,
        ..Role::default()
    };
    let holders = |from: usize, to: usize| (from..to).map(|it| format!("member-{it:05}")).collect();
    // Everybody holds one role: those who are left out are the last ones.
    organization.roles = vec![role("everybody".into(), holders(0, 10_200))];
    organization.roles.extend((0..110).map(|it| role(format!("used-{it}"), holders(0, 2))));
    organization.roles.extend((0..40).map(|it| role(format!("unused-{it}"), Vec::new())));
    let page = printed(&synced(&organization), &["--format", "html"]);
    let found = findings(&page);
    for (title, count) in [
        ("Roles that nobody holds", 40),
        ("Accounts that can&#39;t be used and hold something", 200),
        ("Unverified addresses", 200),
        ("No login for 90 days", 5_100),
        ("No login known", 5_100),
    ] {
        assert_eq!(found.get(title), Some(&count), "{title} in {found:?}");
    }
    for part in [
        // Of each cut, how much is left out and where it stands.
        "the 10000 of 10200 people who hold most, without the other 200",
        "the 100 of 151 roles that most hold, without the other 51",
        "and 4600 more; <code>--format json</code> has all",
        "and 127 more with fewer holders; <code>--format json</code> has all",
        "<b>10200</b> people",
        "<b>151</b> roles",
        // Pictures.
        "aria-label=\"10200 by hand\"",
        "<title>People: 10200</title>",
        "<title>100 others: 2</title>",
    ] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn a_page_of_a_part_says_nothing_of_what_it_did_not_look_at() {
    let room = synced(&Organization::demo());
    let group = "directory_group_01HZX3M9Q2T7V5W8Y00ONCALL0";
    let nobody = "Roles that nobody holds";
    // What others hold isn't read.
    for arguments in [&["--user", "ada-marlow"][..], &["--role", "viewer", "--group", group]] {
        let page = printed(&room, &[arguments, &["--format", "html"]].concat());
        assert!(!page.contains(nobody), "{arguments:?}");
    }
    let page = printed(&room, &["--role", "auditor", "--format", "html"]);
    assert_eq!(findings(&page).get(nobody), Some(&1));
    // The group has members, of which a page of its role doesn't tell.
    let page = printed(&room, &["--role", "incident-response", "--format", "html"]);
    assert!(page.contains("Held by nobody of whom this page tells."));
}

#[test]
fn changes_since_the_sync_before_stand_on_the_page() {
    let room = synced(&Organization::demo());
    assert!(!printed(&room, &["--format", "html"]).contains("id=\"changes\""));
    sync(&room, &changed_demo());
    let page = printed(&room, &["--format", "html"]);
    let changes = between(&page, "id=\"changes\"", "</section>");
    assert!(changes.contains("user Zoë Quill (zoe-quill)"), "{changes}");
    assert!(changes.contains("held: direct and through group Engineering ✈ → through group"));
    // A page of a part says nothing of changes elsewhere.
    let page = printed(&room, &["--format", "html", "--role", "owner"]);
    assert!(!page.contains("id=\"changes\""));
    assert!(between(&page, "<p class=\"note\">", "</p>").contains("role Owner"));
}

#[test]
fn roles_of_the_same_name_are_pictured_each_by_itself() {
    let mut organization = Organization::demo();
    let name = organization.roles[0].name.clone();
    organization.roles[1].name.clone_from(&name);
    let page = printed(&synced(&organization), &["--format", "html"]);
    for id in ["owner", "platform-eng"] {
        assert_eq!(page.matches(&format!("<g><title>{name} ({id}): ")).count(), 1);
    }
}
