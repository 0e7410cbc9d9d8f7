//! Readers of sync files that we did not write: the real `baton` command line, and a
//! baton-sdk of early 2025. Built with Go from the pinned modules below `tests/readers`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

/// The real `baton`.
pub fn baton() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT
        .get_or_init(|| build("tests/readers/baton", "github.com/conductorone/baton-sdk/cmd/baton"))
}

/// `files` merged by baton-sdk's compactor into a file below `directory`, which a storage engine
/// of the SDK's writes; the base comes first.
pub fn compacted(engine: &str, directory: &Path, files: &[&Path]) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let compact = BUILT.get_or_init(|| build("tests/readers/baton", "./compact"));
    let output = Command::new(compact).arg(engine).arg(directory).args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().into()
}

/// A program that prints a file as baton-sdk 0.4 reads it.
pub fn sdk_of_2025() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("tests/readers/sdk-0.4", "."))
}

/// A program that writes a file with two syncs as baton-sdk 0.4 does.
pub fn writer_of_2025() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("tests/readers/sdk-0.4", "./write"))
}

/// The connector of `benches/peer`, which writes what ours does.
pub fn peer() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("benches/peer", "."))
}

/// Builds a program of one of our Go modules; Go's cache makes that quick when nothing changed.
/// A missing Go fails the test: a check that can't be made is no check that passed.
fn build(module: &str, package: &str) -> PathBuf {
    let package_name = package.trim_start_matches("./").rsplit('/').next().unwrap_or_default();
    let built = format!("{}-{package_name}", module.replace('/', "-"));
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join(built);
    let output = Command::new("go")
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(module))
        .args(["build", "-mod=readonly", "-o"])
        .arg(&built)
        .arg(package)
        .output()
        .expect("Go is needed; see .ci/run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    built
}

/// What `baton` says with `arguments` of `file`, as JSON.
pub fn baton_json(file: &Path, arguments: &[&str]) -> Value {
    let text = baton_text(file, &[arguments, &["--output-format", "json"]].concat());
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// What `baton` shows of a file's resources, entitlements and grants, by id. Without what
/// depends on the writer's storage engine: how much is said of the types that an entitlement is
/// for, the words on what a grant gives, and the mark of an expandable grant.
pub fn rows(file: &Path) -> BTreeMap<String, Value> {
    let mut rows = BTreeMap::new();
    for (list, part) in
        [("resources", "resource"), ("entitlements", "entitlement"), ("grants", "grant")]
    {
        for row in baton_json(file, &[list])[list].as_array().unwrap() {
            let mut message = row[part].clone();
            let id = &message["id"];
            let id = id.as_str().map_or_else(|| id.to_string(), str::to_owned);
            match part {
                "entitlement" => {
                    for kind in message["grantableTo"].as_array_mut().unwrap() {
                        *kind = kind["id"].take();
                    }
                }
                "grant" => {
                    message["entitlement"] = message["entitlement"]["id"].take();
                    if let Some(annotations) = message["annotations"].as_array_mut() {
                        let mark = "type.googleapis.com/c1.connector.v2.GrantExpandable";
                        annotations.retain(|annotation| annotation["@type"] != mark);
                    }
                }
                _ => {}
            }
            assert_eq!(rows.insert(id, message), None, "no row twice");
        }
    }
    rows
}

/// What `baton` prints with `arguments` of `file`.
pub fn baton_text(file: &Path, arguments: &[&str]) -> String {
    let output = Command::new(baton()).args(arguments).arg("-f").arg(file).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "baton {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Everything in `file`, as baton-sdk 0.4 reads it: pairs of kind and message.
pub fn read_with_sdk_of_2025(file: &Path) -> Vec<(String, Value)> {
    let output = Command::new(sdk_of_2025()).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            (line["kind"].as_str().unwrap().to_owned(), line["message"].take())
        })
        .collect()
}
