//! What makes a release: the scripts of `.ci/release`, and what workflows and manifests say of
//! it. What only GitHub can do (runners, registries, signatures) is not tried here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use saphyr::{LoadableYamlNode, Yaml};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Every target of the release, and what Go connectors call it.
const TARGETS: [(&str, &str); 5] = [
    ("x86_64-unknown-linux-musl", "linux-amd64.tar.gz"),
    ("aarch64-unknown-linux-musl", "linux-arm64.tar.gz"),
    ("x86_64-apple-darwin", "darwin-amd64.zip"),
    ("aarch64-apple-darwin", "darwin-arm64.zip"),
    ("x86_64-pc-windows-msvc", "windows-amd64.zip"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Runs a program to its end, in a directory.
fn run(program: impl AsRef<std::ffi::OsStr>, words: &[&str], directory: &Path) -> Output {
    let mut command = Command::new(program);
    // No settings of whoever runs the tests.
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    command.args(words).current_dir(directory).output().unwrap()
}

/// A repository with the scripts, this version in `Cargo.toml` and in the changelog, and tags.
fn repository(version: &str, tags: &[&str]) -> tempfile::TempDir {
    let repository = tempfile::tempdir().unwrap();
    let at = |name: &str| repository.path().join(name);
    fs::create_dir_all(at(".ci/release")).unwrap();
    for name in ["version", "notes"] {
        let script = format!(".ci/release/{name}");
        fs::copy(root().join(&script), at(&script)).unwrap();
    }
    let manifest = read("Cargo.toml").replacen(VERSION, version, 1);
    fs::write(at("Cargo.toml"), manifest).unwrap();
    let changes = format!("# Changelog\n\n## [{version}] - today\n\nNew.\n\n## [0.0.1]\n\nOld.\n");
    fs::write(at("CHANGELOG.md"), changes).unwrap();
    let git = |words: &[&str]| {
        let who = ["-c", "user.name=x", "-c", "user.email=x@example.test"];
        let output = run("git", &[&who, words].concat(), repository.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "--quiet"]);
    git(&["commit", "--quiet", "--allow-empty", "--message", "x"]);
    for tag in tags {
        git(&["tag", tag]);
    }
    repository
}

/// What the script says of a tag: whether it is a pre-release, whether it is the latest.
fn judged(version: &str, tag: &str, tags: &[&str]) -> Result<(String, String), String> {
    let repository = repository(version, tags);
    let script = repository.path().join(".ci/release/version");
    let output = run(script, &[tag], repository.path());
    let text = |bytes| String::from_utf8(bytes).unwrap();
    if !output.status.success() {
        assert!(output.stdout.is_empty());
        return Err(text(output.stderr));
    }
    let said = text(output.stdout);
    let value = |key: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap().to_owned()
    };
    assert_eq!(value("version"), version);
    Ok((value("prerelease"), value("latest")))
}

#[test]
fn only_the_newest_version_that_is_no_pre_release_becomes_the_latest() {
    for (version, others, prerelease, latest) in [
        ("0.1.0", &[][..], false, true),
        ("0.1.0-rc.1", &[], true, false),
        ("0.2.0-rc.1", &["v0.1.0"], true, false),
        ("0.2.0", &["v0.1.0", "v0.2.0-rc.1"], false, true),
        ("0.10.0", &["v0.9.0"], false, true),
        // A fix of an older one.
        ("0.1.1", &["v0.1.0", "v0.2.0"], false, false),
        ("1.0.0", &["v0.9.9", "v1.1.0-alpha"], false, true),
        ("1.0.0", &["v0.9.9", "vnext", "v2"], false, true),
    ] {
        let tag = format!("v{version}");
        let tags = [others, &[tag.as_str()]].concat();
        let expected = (prerelease.to_string(), latest.to_string());
        assert_eq!(judged(version, &tag, &tags), Ok(expected), "{version} {others:?}");
    }
}

#[test]
fn a_tag_that_is_not_the_version_and_a_version_without_changes_are_refused() {
    let refused = judged("0.1.0", "v0.1.1", &["v0.1.1"]).unwrap_err();
    assert!(refused.contains("the tag v0.1.1 is not v0.1.0"), "{refused}");
    let refused = judged("0.1.0+build", "v0.1.0+build", &[]).unwrap_err();
    assert!(refused.contains("can't be a tag of an image"), "{refused}");
    let repository = repository("0.1.0", &["v0.1.0"]);
    fs::write(repository.path().join("CHANGELOG.md"), "## [0.1.0-rc.1]\n").unwrap();
    let script = repository.path().join(".ci/release/version");
    let refused = run(script, &["v0.1.0"], repository.path());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("has no section [0.1.0]"));
}

#[test]
fn the_notes_are_the_changelogs_section_of_the_version_alone() {
    let repository = repository("0.1.0", &[]);
    let script = repository.path().join(".ci/release/notes");
    let notes = run(script, &["0.1.0"], repository.path());
    assert_eq!(String::from_utf8(notes.stdout).unwrap().trim(), "New.");
}

/// Packs something that runs for a target, whatever it is made for; returns the names.
fn pack(target: &str, directory: &Path) -> BTreeSet<String> {
    let script = root().join(".ci/release/pack");
    let binary = tempfile::NamedTempFile::new().unwrap().into_temp_path();
    fs::write(&binary, "#!/bin/sh\necho \"$@\"\n").unwrap();
    let words = [binary.to_str().unwrap(), target, VERSION, directory.to_str().unwrap()];
    let output = run(script, &words, directory);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    names(directory)
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// What an archive holds: names, and whether each may be run.
fn unpacked(archive: &Path) -> Vec<(String, bool)> {
    let directory = tempfile::tempdir().unwrap();
    let archive = archive.to_str().unwrap();
    let output = if archive.ends_with("zip") {
        run("unzip", &["-q", archive], directory.path())
    } else {
        run("tar", &["-xzf", archive], directory.path())
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found = Vec::new();
    let mut directories = vec![directory.path().to_owned()];
    while let Some(at) = directories.pop() {
        for path in fs::read_dir(at).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                directories.push(path);
                continue;
            }
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
            let name = path.strip_prefix(directory.path()).unwrap().to_str().unwrap();
            found.push((name.to_owned(), mode & 0o111 != 0));
        }
    }
    found.sort();
    found
}

/// Asserts that both archives of a target hold what they should, under names that are known.
fn assert_packed(target: &str, go_name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let of_go = format!("baton-northflank-v{VERSION}-{go_name}");
    let suffix = if target.contains("windows") { "zip" } else { "tar.gz" };
    let name = format!("baton-northflank-{VERSION}-{target}");
    let own = format!("{name}.{suffix}");
    assert_eq!(pack(target, directory.path()), BTreeSet::from([own.clone(), of_go.clone()]));
    let executable = if suffix == "zip" { "baton-northflank.exe" } else { "baton-northflank" };
    assert_eq!(unpacked(&directory.path().join(of_go)), [(executable.to_owned(), true)]);
    let held = unpacked(&directory.path().join(own));
    let mut expected: Vec<_> = [
        "CHANGELOG.md",
        "LICENSE",
        "README.md",
        "baton-northflank.1",
        "completions/_baton-northflank",
        "completions/_baton-northflank.ps1",
        "completions/baton-northflank.bash",
        "completions/baton-northflank.fish",
    ]
    .map(|file| (format!("{name}/{file}"), false))
    .into();
    expected.push((format!("{name}/{executable}"), true));
    expected.sort();
    assert_eq!(held, expected);
}

#[test]
fn archives_for_linux_are_packed_as_scripts_for_either_kind_of_connector_know_them() {
    for (target, go_name) in TARGETS.iter().filter(|(_, go_name)| go_name.ends_with("tar.gz")) {
        assert_packed(target, go_name);
    }
}

#[test]
#[ignore = "needs zip and unzip; .ci/run has them"]
fn archives_for_other_systems_are_too() {
    for (target, go_name) in TARGETS.iter().filter(|(_, go_name)| go_name.ends_with("zip")) {
        assert_packed(target, go_name);
    }
}

#[test]
fn beside_each_file_is_its_provenance_beside_each_archive_its_bill_and_checksums_are_of_all() {
    let directory = tempfile::tempdir().unwrap();
    let dist = directory.path().join("dist");
    fs::create_dir(&dist).unwrap();
    let bill = format!("baton-northflank-{VERSION}.spdx.json");
    let archives = [format!("a-{VERSION}.tar.gz"), "b c.zip".to_owned()];
    for name in archives.iter().chain([&bill]) {
        fs::write(dist.join(name), format!("content of {name}")).unwrap();
    }
    fs::write(directory.path().join("bundle"), "signed").unwrap();
    let script = |name: &str, words: &[&str]| {
        let output = run(root().join(".ci/release").join(name), words, directory.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    script("bill", &["dist", VERSION]);
    let with_bills = names(&dist);
    for archive in &archives {
        let bill = fs::read_to_string(dist.join(format!("{archive}.sbom.json"))).unwrap();
        assert!(bill.contains("spdx.json"), "{bill}");
    }
    assert_eq!(with_bills.len(), 5);
    script("finish", &["dist", VERSION, "bundle"]);
    for name in &with_bills {
        let bundle = dist.join(format!("{name}.provenance.sigstore.json"));
        assert_eq!(fs::read_to_string(bundle).unwrap(), "signed");
    }
    let sums = ["SHA256SUMS".to_owned(), format!("baton-northflank_{VERSION}_checksums.txt")];
    for sums in &sums {
        let check = run("sha256sum", &["--check", "--strict", sums], &dist);
        assert!(check.status.success(), "{}", String::from_utf8_lossy(&check.stdout));
        let listed = fs::read_to_string(dist.join(sums)).unwrap().lines().count();
        assert_eq!(listed, 2 * with_bills.len());
    }
    assert_eq!(names(&dist).len(), 2 * with_bills.len() + sums.len());
}

/// What cargo-sbom writes of a package, shortened, with what is wrong in it.
const BILL: &str = r#"{
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "a_b",
    "files": [
        {"SPDXID": "SPDXRef-File-a_b", "fileName": "./Cargo.lock"},
        {"SPDXID": "SPDXRef-File-a-b", "fileName": "./Cargo.lock"}
    ],
    "packages": [
        {"SPDXID": "SPDXRef-Package-z_z-1.0.0", "name": "z_z", "versionInfo": "1.0.0",
         "downloadLocation": "registry+https://github.com/rust-lang/crates.io-index"},
        {"SPDXID": "SPDXRef-Package-a-b-0.1.0", "name": "a-b", "versionInfo": "0.1.0",
         "downloadLocation": "NONE"}
    ],
    "relationships": [
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
         "relatedSpdxElement": "SPDXRef-File-a_b"},
        {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
         "relatedSpdxElement": "SPDXRef-File-a-b"}
    ]
}"#;

#[test]
#[ignore = "needs jq; .ci/run has it"]
fn the_bill_of_materials_is_valid_spdx() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("bill"), BILL).unwrap();
    let script = root().join(".ci/release/spdx");
    let words = ["-c", r#"exec "$0" < bill"#, script.to_str().unwrap()];
    let output = run("sh", &words, directory.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let bill: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids = |list: &str, key: &str| {
        let rows = bill[list].as_array().unwrap().iter();
        rows.map(|row| row[key].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    // Letters, digits, dots and dashes, each once.
    assert_eq!(ids("files", "SPDXID"), ["SPDXRef-File-a-b"]);
    assert_eq!(ids("relationships", "relatedSpdxElement"), ["SPDXRef-File-a-b"]);
    let packages = ["SPDXRef-Package-a-b-0.1.0", "SPDXRef-Package-z-z-1.0.0"];
    assert_eq!(ids("packages", "SPDXID"), packages);
    // Names stay, and places are addresses.
    assert_eq!((&bill["name"], &bill["packages"][1]["name"]), (&"a_b".into(), &"z_z".into()));
    let places = ["NONE", "https://crates.io/api/v1/crates/z_z/1.0.0/download"];
    assert_eq!(ids("packages", "downloadLocation"), places);
}

#[test]
fn binstall_looks_for_the_archives_that_are_packed() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let words = ["metadata", "--locked", "--offline", "--no-deps", "--format-version", "1"];
    let metadata = run(cargo, &words, root());
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|it| it["name"] == "baton-northflank").unwrap();
    let binstall = &package["metadata"]["binstall"];
    let filled = |template: &str, target: &str| {
        let of_target = &binstall["overrides"][target]["pkg-fmt"];
        let format = of_target.as_str().or(binstall["pkg-fmt"].as_str()).unwrap();
        let (suffix, ending) = match (format, target.contains("windows")) {
            ("tgz", false) => (".tar.gz", ""),
            ("zip", true) => (".zip", ".exe"),
            other => panic!("{target}: {other:?}"),
        };
        [
            ("repo", package["repository"].as_str().unwrap()),
            ("name", "baton-northflank"),
            ("bin", "baton-northflank"),
            ("version", VERSION),
            ("target", target),
            ("archive-suffix", suffix),
            ("binary-ext", ending),
        ]
        .iter()
        .fold(template.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{ {name} }}"), value)
        })
    };
    for (target, go_name) in TARGETS {
        let is_windows = go_name.starts_with("windows");
        let (suffix, ending) = if is_windows { ("zip", ".exe") } else { ("tar.gz", "") };
        let name = format!("baton-northflank-{VERSION}-{target}");
        let from = "https://github.com/ConductorOne/baton-northflank/releases/download";
        let url = filled(binstall["pkg-url"].as_str().unwrap(), target);
        assert_eq!(url, format!("{from}/v{VERSION}/{name}.{suffix}"));
        let binary = filled(binstall["bin-dir"].as_str().unwrap(), target);
        assert_eq!(binary, format!("{name}/baton-northflank{ending}"));
    }
}

fn workflow(name: &str) -> String {
    read(&format!(".github/workflows/{name}.yaml"))
}

#[test]
fn the_release_builds_every_target_and_publishes_nothing_before_the_tests() {
    let text = workflow("release");
    let release = Yaml::load_from_str(&text).unwrap().remove(0);
    let jobs = &release["jobs"];
    let built = jobs["binaries"]["strategy"]["matrix"]["include"].as_sequence().unwrap();
    let built: BTreeSet<_> = built.iter().map(|it| it["target"].as_str().unwrap()).collect();
    assert_eq!(built, TARGETS.into_iter().map(|(target, _)| target).collect());
    // What may write to the repository or give an image a tag waits for all others.
    let others = jobs.as_mapping().unwrap().keys().map(|name| name.as_str().unwrap());
    let others: BTreeSet<_> = others.filter(|name| *name != "publish").collect();
    let needs = jobs["publish"]["needs"].as_sequence().unwrap();
    assert_eq!(needs.iter().map(|it| it.as_str().unwrap()).collect::<BTreeSet<_>>(), others);
    assert_eq!(jobs["tests"]["uses"].as_str(), Some("./.github/workflows/ci.yaml"));
    assert!(
        Yaml::load_from_str(&workflow("ci")).unwrap()[0]["on"]
            .as_mapping()
            .unwrap()
            .keys()
            .any(|it| it.as_str() == Some("workflow_call"))
    );
    for name in others {
        let permissions = jobs[name].as_mapping_get("permissions").and_then(Yaml::as_mapping);
        let may =
            permissions.into_iter().flatten().filter(|(_, may)| may.as_str() == Some("write"));
        let may: Vec<_> = may.map(|(what, _)| what.as_str().unwrap()).collect();
        assert!(may.is_empty() || (name == "images" && may == ["packages"]), "{name}: {may:?}");
    }
}

#[test]
fn what_ci_systems_download_are_archives_that_are_packed() {
    // `uname -m` tells x86_64 and aarch64.
    let name = "VERSION-$(uname -m)-unknown-linux-musl\n";
    assert!(workflow("access-snapshot").contains(&format!("name=baton-northflank-${name}")));
    assert!(read("deploy/gitlab.yml").contains(&format!("name=baton-northflank-$ACCESS_{name}")));
    let action = read("action.yml");
    let targets = action.split(" target=").skip(1).map(|rest| rest.split(' ').next().unwrap());
    let packed: BTreeSet<_> = TARGETS.into_iter().map(|(target, _)| target).collect();
    assert_eq!(targets.collect::<BTreeSet<_>>(), packed);
}

#[test]
fn every_action_of_others_is_pinned_by_commit_with_its_version() {
    let mut count = 0;
    for file in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = file.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for used in lines.filter_map(|line| line.split_once("uses: ")).map(|(_, used)| used) {
            if used.starts_with("./") {
                continue;
            }
            count += 1;
            let (action, version) = used.split_once(" # v").unwrap_or_else(|| panic!("{used}"));
            let (_, commit) = action.split_once('@').unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|it| it.is_ascii_hexdigit());
            assert!(is_commit && version.split('.').count() == 3, "{}: {used}", path.display());
        }
    }
    assert!(count > 20, "{count}");
}

/// Directories of the repository that hold a file of one of these names, as dependabot writes
/// them.
fn directories_with(names: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(root().join(&directory)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() {
                // What is built or installed is nobody's to update.
                if !["target", "node_modules", ".git"].contains(&name.as_str()) {
                    directories.push(directory.join(name));
                }
            } else if names.contains(&name.as_str()) {
                found.insert(format!("/{}", directory.to_str().unwrap()));
            }
        }
    }
    found
}

#[test]
fn every_folder_with_a_lock_file_is_kept_up_to_date() {
    let text = read(".github/dependabot.yml");
    let dependabot = Yaml::load_from_str(&text).unwrap().remove(0);
    let updates = dependabot["updates"].as_sequence().unwrap();
    let kept = |ecosystem: &str| {
        let of_it = updates.iter().filter(|it| it["package-ecosystem"].as_str() == Some(ecosystem));
        of_it
            .flat_map(|update| {
                let several = update.as_mapping_get("directories").and_then(Yaml::as_sequence);
                several.into_iter().flatten().chain(update.as_mapping_get("directory"))
            })
            .map(|directory| directory.as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    for (ecosystem, locks) in [
        ("cargo", &["Cargo.lock"][..]),
        ("docker", &["Dockerfile"]),
        ("gomod", &["go.sum"]),
        ("npm", &["package-lock.json"]),
        ("pip", &["requirements.txt"]),
    ] {
        let mut expected = directories_with(locks);
        // Made of the root's for each run, and not kept: see .ci/fuzz.
        expected.remove("/fuzz");
        assert_eq!(kept(ecosystem), expected, "{ecosystem}");
    }
}
