//! What it takes to read a further list of Northflank's: tried on a copy of the sources.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

/// A list whose rows are members.
const FURTHER: &str = r#"lists! {
    /// Something new.
    Novelties: Member = ListDeclaration {
        path: "/v1/novelties",
        is_paged: true,
        permission: READ_MEMBERS,
        rows: "novelties",
        row: "novelty",
        of_each_row: &[],
    };
"#;

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn edit(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from:?} in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

/// The files that the compiler finds an error in, each with its code.
fn errors(directory: &Path) -> BTreeSet<(String, String)> {
    let checked = Command::new(env!("CARGO"))
        .args(["check", "--lib", "--locked", "--offline", "--quiet", "--message-format", "json"])
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_MANIFEST_DIR")).join("target"))
        .current_dir(directory)
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let lines = String::from_utf8(checked.stdout).unwrap();
    let messages = lines.lines().map(|line| serde_json::from_str(line).unwrap());
    let errors = messages.filter(|line: &serde_json::Value| line["message"]["level"] == "error");
    let places = errors.filter_map(|line| {
        let file = line["message"]["spans"][0]["file_name"].as_str()?.to_owned();
        Some((file, line["message"]["code"]["code"].as_str().unwrap_or_default().to_owned()))
    });
    let places: BTreeSet<_> = places.collect();
    assert_eq!(checked.status.success(), places.is_empty(), "{lines}");
    places
}

#[test]
#[ignore = "compiles a copy of the sources; .ci/run has the time"]
fn the_compiler_asks_of_a_further_list_what_its_rows_are_and_nothing_else() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let directory = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(repository).unwrap().map(Result::unwrap) {
        let (name, to) = (entry.file_name(), directory.path().join(entry.file_name()));
        match name.to_str() {
            Some("src") => copy(&entry.path(), &to),
            Some("target" | ".git") => {}
            _ => symlink(entry.path(), to).unwrap(),
        }
    }
    let source = |path: &str| directory.path().join("src").join(path);
    edit(&source("northflank/list.rs"), "lists! {\n", FURTHER);
    let unmatched = ("src/connector/row_content.rs".to_owned(), "E0004".to_owned());
    assert_eq!(errors(directory.path()), BTreeSet::from([unmatched]));
    let members = "Rows::Members(rows) => Self::People(rows),";
    let both = "Rows::Members(rows) | Rows::Novelties(rows) => Self::People(rows),";
    edit(&source("connector/row_content.rs"), members, both);
    assert_eq!(errors(directory.path()), BTreeSet::new());
}
