//! What CI systems of others run of ours: the snapshot workflow, the action, and GitLab's job.
//! Their shell is run as those would, with a release as it is packed, against the fake API.

mod action;
mod gitlab;
mod snapshot;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use fake_northflank::{FakeNorthflank, Options, Organization};

use crate::harness::workflow::{StepsRun, Value};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What would run if a shell took it for its own.
const HOSTILE: &str = "\"; touch pwned; $(touch pwned) `touch pwned` '; touch pwned; #";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

fn fake(organization: Organization) -> FakeNorthflank {
    FakeNorthflank::start(organization, Options::default()).unwrap()
}

/// The target of this machine's archives.
fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// A machine of a CI system's: a release that it can download, and what stands for programs that
/// would ask others.
struct Runner {
    directory: tempfile::TempDir,
}

impl Runner {
    fn new() -> Self {
        let runner = Self { directory: tempfile::tempdir().unwrap() };
        for name in ["release", "programs", "github", "workspace", "temp"] {
            fs::create_dir(runner.path(name)).unwrap();
        }
        runner.pack(&target());
        runner.program("gh", GH);
        // Both end in the name of a file of the release.
        runner.program("curl", &DOWNLOAD.replace("OPTION", "--output"));
        runner.program("wget", &DOWNLOAD.replace("OPTION", "-O"));
        runner
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn program(&self, name: &str, script: &str) {
        let path = self.path("programs").join(name);
        fs::write(&path, script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// Makes a release for a target, which calls the binary of the tests.
    fn pack(&self, target: &str) {
        let binary = self.path("binary");
        let script = format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_baton-northflank"));
        fs::write(&binary, script).unwrap();
        fs::write(self.path("bundle"), "signed").unwrap();
        fs::remove_dir_all(self.path("release")).unwrap();
        let release = self.path("release");
        let words = [binary.to_str().unwrap(), target, VERSION, release.to_str().unwrap()];
        self.script("pack", &words);
        let bundle = self.path("bundle");
        self.script("finish", &[words[3], VERSION, bundle.to_str().unwrap()]);
    }

    fn script(&self, name: &str, words: &[&str]) {
        let mut command = Command::new(root().join(".ci/release").join(name));
        let output = command.args(words).current_dir(self.directory.path()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    /// Has the archive of the release be another than the one that the sums are of.
    fn tamper(&self) {
        for entry in fs::read_dir(self.path("release")).unwrap() {
            let path = entry.unwrap().path();
            if path.to_str().unwrap().ends_with(".tar.gz") {
                fs::write(path, "something else").unwrap();
            }
        }
    }

    /// The environment of everything that runs here.
    fn variables(&self) -> BTreeMap<String, String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", text(self.path("programs")));
        [
            ("PATH", path),
            ("RUNNER_TEMP", text(self.path("temp"))),
            ("FAKE_RELEASE", text(self.path("release"))),
            ("FAKE_GITHUB", text(self.path("github"))),
            ("GITHUB_REPOSITORY", "marlow/access".to_owned()),
            ("GITHUB_REF_NAME", "main".to_owned()),
            ("GITHUB_REF", "refs/heads/main".to_owned()),
            ("GITHUB_SHA", "0123456789abcdef".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }

    /// Steps, which have these inputs and secrets.
    fn steps(&self, context: BTreeMap<String, Value>) -> StepsRun {
        StepsRun {
            workspace: self.path("workspace"),
            context,
            variables: self.variables(),
            log: String::new(),
            failure: None,
        }
    }

    /// Puts a file where a job finds its repository.
    fn write(&self, name: &str, text: &str) {
        let path = self.path("workspace").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn is_pwned(&self) -> bool {
        let mut found = Command::new("find");
        let found = found.arg(self.directory.path()).args(["-name", "pwned"]).output().unwrap();
        !found.stdout.is_empty()
    }
}

/// What `gh` does of what is asked of it here. Artifacts and uploads are files.
const GH: &str = r#"#!/bin/bash
set -e
case "$1 $2" in
    "release download")
        [ "$GH_TOKEN" = github-token ]
        while [ $# -gt 0 ]; do
            [ "$1" != --pattern ] || cp "$FAKE_RELEASE/$2" .
            shift
        done
        ;;
    "attestation verify") [ -s "$FAKE_RELEASE/$3.provenance.sigstore.json" ] ;;
    "api "*)
        [ "$GH_TOKEN" = github-token ]
        while [ $# -gt 0 ]; do
            case $1 in
                repos/*) place=${1#repos/marlow/access/} ;;
                --jq) jq=$2 && shift ;;
                name=*) name=${1#name=} ;;
                sarif=@*) sarif=${1#sarif=@} ;;
                commit_sha=*) [ "$1" = "commit_sha=$GITHUB_SHA" ] ;;
                ref=*) [ "$1" = "ref=$GITHUB_REF" ] ;;
            esac
            shift
        done
        case $place in
            actions/artifacts)
                cat "$FAKE_GITHUB"/artifact-*.json 2> /dev/null |
                    jq --slurp --arg name "$name" '{artifacts: map(select(.name == $name))}' |
                    jq --raw-output "$jq"
                ;;
            actions/artifacts/*/zip) cat "$FAKE_GITHUB/artifact-$(basename "$(dirname "$place")").zip" ;;
            code-scanning/sarifs)
                if [ -e "$FAKE_GITHUB/answer" ]; then cat "$FAKE_GITHUB/answer" >&2 && exit 1; fi
                base64 --decode "$sarif" | gunzip > "$FAKE_GITHUB/uploaded.sarif"
                ;;
            *) exit 9 ;;
        esac
        ;;
    *) exit 9 ;;
esac
"#;

/// Copies a file of the release that the last word is the address of.
const DOWNLOAD: &str = r#"#!/bin/bash
set -e
while [ $# -gt 1 ]; do
    if [ "$1" = OPTION ]; then to=$2; fi
    shift
done
case $1 in
    https://github.com/ConductorOne/baton-northflank/releases/download/v*/*) ;;
    *) exit 9 ;;
esac
cp "$FAKE_RELEASE/${1##*/}" "$to"
"#;
