//! The page in a real browser: Debian's Chromium, driven from Node.
//!
//! Needs Chromium and `npm ci --prefix tests/browser`; `.ci/run` makes both. Screenshots are
//! kept in `target/screenshots`, for people to look at.

use std::fs;
use std::path::Path;
use std::process::Command;

use fake_northflank::{Organization, Size};

use super::{access, sync, synced};
use crate::harness::TestDir;
use crate::harness::changes::changed_demo;

/// Names that are markup, script, or a way out of an attribute.
const HOSTILE: [&str; 9] = [
    "<script>window.reached = true</script>",
    "<img src=x onerror=\"window.reached = true\">",
    "\" onmouseover=\"window.reached = true\" x=\"",
    "' autofocus onfocus='window.reached = true'",
    "</style><style>body { display: none }</style>",
    "</title></bdi></table><h1>Gone</h1>",
    "javascript:alert(1)",
    "{{ 7 * 7 }} {% raw %}",
    "&lt;b&gt; &amp; \u{202e}desrever",
];

fn page(room: &TestDir, into: &Path, name: &str, arguments: &[&str]) {
    let path = into.join(format!("{name}.html"));
    let output = ["--format", "html", "--output", path.to_str().unwrap()];
    access(room, &[arguments, &output].concat()).expect_success();
}

#[test]
#[ignore = "needs Chromium and Node; .ci/run has them"]
fn a_browser_shows_the_page_and_nothing_gets_out_or_in() {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let screenshots = crate_root.join("target/screenshots");
    fs::create_dir_all(&screenshots).unwrap();
    let pages = tempfile::tempdir().unwrap();

    let room = synced(&changed_demo());
    sync(&room, &Organization::demo());
    page(&room, pages.path(), "demo", &["--title", "Marlow Freight"]);

    let mut organization = Organization::demo();
    for (member, name) in organization.members.iter_mut().zip(HOSTILE) {
        member.name = Some(name.into());
    }
    for (role, name) in organization.roles.iter_mut().zip(HOSTILE) {
        role.name = name.into();
        role.description = Some(name.into());
    }
    for (group, name) in organization.groups.iter_mut().zip(HOSTILE) {
        group.name = name.into();
    }
    let names = organization.members.iter().map(|member| {
        let address = || member.emails[0].address.clone();
        member.name.clone().unwrap_or_else(address)
    });
    let names: Vec<String> = names.collect();
    fs::write(pages.path().join("hostile.json"), serde_json::to_vec(&names).unwrap()).unwrap();
    page(&synced(&organization), pages.path(), "hostile", &["--title", HOSTILE[1]]);

    page(&synced(&Organization::default()), pages.path(), "empty", &[]);

    // More roles than a window or a sheet of paper is wide, and names that run from right to left.
    let size = Size { members: 40, roles: 40, groups: 9, memberships: 900 };
    let mut organization = Organization::generate(7, size);
    organization.groups[0].name = "צוות תמיכה".into();
    organization.groups[1].name = "فريق".into();
    organization.roles[0].name = "בעלים".into();
    organization.members[0].name = Some("עדה".into());
    page(&synced(&organization), pages.path(), "many", &[]);

    let size = Size { members: 10_050, roles: 100, groups: 60, memberships: 60_000 };
    page(&synced(&Organization::generate(7, size)), pages.path(), "large", &[]);

    let output = Command::new("node")
        .arg(crate_root.join("tests/browser/look.mjs"))
        .args([pages.path(), &screenshots])
        .output()
        .expect("Node is needed; see .ci/run");
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}
