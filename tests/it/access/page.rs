//! What stands on the page, as far as that needs no browser.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fake_northflank::Organization;
use sha2::{Digest, Sha256};

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
    assert_eq!(page.matches(&format!("<g><title>{name}: ")).count(), 2);
}
