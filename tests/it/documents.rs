//! Documents say what is true: variables, flags and commands exist, links lead somewhere,
//! manifests are what a page says of them, every resource type is listed.

use crate::harness::exit_code;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use saphyr::{LoadableYamlNode, Yaml};

/// Variables that neither help nor the schema tell of.
const FURTHER_VARIABLES: [&str; 4] =
    ["BATON_C1Z_TEMP_DIR", "BATON_C1_API_HOST", "BATON_HOST_ID", "BATON_SKIP_GRANTS"];

const DEPLOYMENT: &str = "deploy/kubernetes/deployment.yaml";

/// Documents that name settings, and directories of such.
const DOCUMENTS: [&str; 7] =
    ["README.md", "CONTRIBUTING.md", "SECURITY.md", "action.yml", "docs", "deploy", ".github"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn connector(arguments: &[impl AsRef<std::ffi::OsStr>]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_baton-northflank")).args(arguments).output().unwrap()
}

/// All files in a directory and below, or the one file.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|entry| files(&entry)).collect()
}

/// Path and text of every document.
fn documents() -> Vec<(String, String)> {
    let is_text = |path: &PathBuf| path.extension().is_none_or(|extension| extension != "png");
    DOCUMENTS
        .iter()
        .flat_map(|path| files(&root().join(path)))
        .filter(is_text)
        .map(|path| path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned())
        .map(|path| (path.clone(), read(&path)))
        .collect()
}

fn is_markdown(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "md" || extension == "mdx")
}

/// The variables that the manual page names, hidden ones included by the schema.
fn known_variables() -> BTreeSet<String> {
    let schema: serde_json::Value = serde_json::from_str(&read("config_schema.json")).unwrap();
    let fields = schema["fields"].as_array().unwrap().iter();
    let exported = fields.map(|field| variable(field["name"].as_str().unwrap()));
    let help = String::from_utf8(connector(&["--help"]).stdout).unwrap();
    exported.chain(variables(&help)).chain(FURTHER_VARIABLES.map(str::to_owned)).collect()
}

/// The variable of a flag or field.
fn variable(name: &str) -> String {
    format!("BATON_{}", name.trim_start_matches('-').replace('-', "_").to_uppercase())
}

/// All `BATON_…` words of a text.
fn variables(text: &str) -> BTreeSet<String> {
    text.split(|char: char| !char.is_ascii_uppercase() && !char.is_ascii_digit() && char != '_')
        .filter(|word| word.starts_with("BATON_") && word.len() > "BATON_".len())
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_variable_that_a_document_names_exists() {
    let known = known_variables();
    assert!(known.len() > 25, "{known:?}");
    let mut naming = 0;
    for (path, text) in documents() {
        let named = variables(&text);
        naming += usize::from(!named.is_empty());
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{path}: {unknown:?}");
    }
    assert!(naming >= 8, "{naming}");
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn the_page_of_settings_lists_all_that_exist_and_no_others() {
    let page = read("docs/settings.md");
    let names = |row: &str| {
        let cell = row.split('|').nth(1).unwrap_or_default();
        let long = code(cell).filter(|it| it.starts_with("--") || it.starts_with("BATON_"));
        let name = |it: &str| if it.starts_with("--") { variable(it) } else { it.to_owned() };
        long.map(name).collect::<Vec<_>>()
    };
    let listed: Vec<_> = page.lines().filter(|it| it.starts_with('|')).flat_map(names).collect();
    let once: BTreeSet<_> = listed.iter().cloned().collect();
    assert_eq!(listed.len(), once.len(), "something is listed twice");
    assert_eq!(once, known_variables());
}

/// Commands of the connector in a document: lines of shell blocks, and words between backticks.
fn commands(text: &str) -> Vec<Vec<String>> {
    let shell = text.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let lines = shell.flat_map(|block| {
        let joined = block.replace("\\\n", " ");
        joined.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let prose: String = text.split("```").step_by(2).collect();
    let spans = code(&prose).map(str::to_owned).collect::<Vec<_>>();
    lines
        .chain(spans)
        .filter_map(|line| {
            // By name, or as a container's arguments.
            let words: Vec<_> = line.split_whitespace().collect();
            let is_connector =
                |word: &&str| *word == "baton-northflank" || word.contains("/baton-northflank:");
            let words = words[words.iter().rposition(is_connector)? + 1..].iter();
            let words = words.take_while(|word| !["|", "#", "&&", ">"].contains(word));
            Some(words.map(|word| word.trim_matches(['"', '\'']).to_owned()).collect())
        })
        .collect()
}

#[test]
fn every_command_in_a_document_is_understood() {
    let mut all = BTreeSet::new();
    for (path, text) in documents() {
        if is_markdown(&path) {
            all.extend(commands(&text).into_iter().map(|command| (command, path.clone())));
        }
    }
    assert!(all.len() >= 8, "{all:?}");
    for (mut command, path) in all {
        command.push("--help".to_owned());
        let run = connector(&command);
        let error = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{path}: {command:?}: {error}");
    }
}

/// The anchors of a Markdown file's headings, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
        text.chars().filter(|char| char.is_alphanumeric() || "-_".contains(*char)).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let mut links = 0;
    let names = ["ARCHITECTURE.md", "CHANGELOG.md"].map(|path| (path.to_owned(), read(path)));
    for (path, text) in documents().into_iter().chain(names) {
        if !is_markdown(&path) {
            continue;
        }
        let targets = text.split("](").skip(1).map(|rest| rest.split(')').next().unwrap());
        for target in targets.filter(|target| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = match file {
                "" => root().join(&path),
                file => root().join(&path).parent().unwrap().join(file),
            };
            assert!(file.exists(), "{path}: {target}");
            if !anchor.is_empty() {
                let text = std::fs::read_to_string(file).unwrap();
                assert!(anchors(&text).contains(anchor), "{path}: {target}");
            }
            links += 1;
        }
    }
    assert!(links > 15, "{links}");
}

/// The Markdown file's YAML blocks.
fn manifests(document: &str) -> Vec<&str> {
    let blocks = document.split("```yaml").skip(1);
    blocks.map(|rest| rest.split_once('\n').unwrap().1.split("```").next().unwrap()).collect()
}

fn yaml(text: &str) -> Yaml<'_> {
    Yaml::load_from_str(text).unwrap().remove(0)
}

/// The secrets that the daemon can't do without.
const SECRETS: [&str; 3] = ["BATON_CLIENT_ID", "BATON_CLIENT_SECRET", "BATON_NORTHFLANK_API_TOKEN"];

#[test]
fn the_page_for_c1_has_the_secret_and_the_deployment_that_are_shipped() {
    let page = read("docs/connector.mdx");
    let manifests = manifests(&page);
    let without_comments = |text: &str| {
        let lines = text.lines().skip_while(|line| line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let deployment = manifests.iter().find(|it| it.contains("kind: Deployment")).unwrap();
    assert_eq!(without_comments(deployment), without_comments(&read(DEPLOYMENT)));
    let secret = yaml(manifests.iter().find(|it| it.contains("kind: Secret")).unwrap());
    let names = secret["stringData"].as_mapping().unwrap().keys();
    assert_eq!(names.map(|name| name.as_str().unwrap()).collect::<Vec<_>>(), SECRETS);
    let text = read(DEPLOYMENT);
    assert_eq!(
        yaml(&text)["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["secretRef"]["name"]
            .as_str(),
        secret["metadata"]["name"].as_str()
    );
    assert!(read("docs/service.md").contains("secret generic baton-northflank-secrets"));
}

/// `latest` would be another version at every start, or never again.
#[test]
fn what_is_deployed_names_the_version_by_a_tag_that_a_release_makes() {
    let tag = concat!("v", env!("CARGO_PKG_VERSION"));
    for path in [DEPLOYMENT, "deploy/compose.yaml", "docs/service.md", "docs/upgrade.md"] {
        let text = read(path);
        let images: Vec<_> = text.split("ghcr.io/conductorone/baton-northflank:").skip(1).collect();
        assert!(!images.is_empty(), "{path}");
        for image in images {
            assert!(image.starts_with(tag), "{path}: {}", image.lines().next().unwrap());
        }
    }
    assert!(read(".github/workflows/release.yaml").contains(r#"--tag "$image:v$VERSION""#));
    // What CI systems use from here is of the same version as what it installs.
    let uses = [
        ("action.yml", "@v", 1),
        ("deploy/gitlab.yml", "/v", 1),
        (".github/workflows/access-snapshot.yaml", "access-snapshot.yaml@v", 1),
        ("docs/review.md", "baton-northflank@v", 1),
        ("docs/review.md", "baton-northflank/v", 1),
    ];
    for (path, before, count) in uses {
        let text = read(path);
        let named = text.split(before).skip(1).filter(|rest| rest.starts_with(char::is_numeric));
        let named: Vec<_> = named.map(|rest| rest.starts_with(&tag[1..])).collect();
        assert_eq!(named, vec![true; count], "{path}: {before}");
    }
}

#[test]
fn the_deployment_writes_nowhere_but_to_its_volume_and_asks_probes_that_exist() {
    let text = read(DEPLOYMENT);
    let deployment = yaml(&text);
    let pod = &deployment["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
    // Variables of services would be taken for settings.
    assert_eq!(pod["enableServiceLinks"].as_bool(), Some(false));
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"].as_bool(), Some(true));
    let mount = &container["volumeMounts"][0];
    assert_eq!(mount["name"].as_str(), pod["volumes"][0]["name"].as_str());
    let variables = container["env"].as_sequence().unwrap();
    let scratch = variables.iter().find(|it| it["name"].as_str() == Some("BATON_C1Z_TEMP_DIR"));
    assert_eq!(scratch.unwrap()["value"].as_str(), mount["mountPath"].as_str());
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_is_command(&container[probe]["exec"]["command"], 0);
    }
}

#[test]
fn the_compose_file_writes_nowhere_but_to_its_volume_and_asks_a_health_check_that_exists() {
    let text = read("deploy/compose.yaml");
    let compose = yaml(&text);
    let service = &compose["services"]["baton-northflank"];
    assert_eq!(service["read_only"].as_bool(), Some(true));
    assert_eq!(service["env_file"].as_str(), Some("baton-northflank.env"));
    let scratch = service["environment"]["BATON_C1Z_TEMP_DIR"].as_str().unwrap();
    assert!(service["volumes"][0].as_str().unwrap().ends_with(&format!(":{scratch}")));
    assert_is_command(&service["healthcheck"]["test"], 1);
}

#[test]
fn the_file_of_secrets_has_all_of_them_and_no_values() {
    let text = read("deploy/baton-northflank.env.example");
    let lines: Vec<_> =
        text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    assert_eq!(lines, SECRETS.map(|name| format!("{name}=")));
}

#[test]
fn the_systemd_unit_does_not_start_again_what_can_not_succeed() {
    let unit = read("deploy/systemd/baton-northflank.service");
    let value = |key: &str| {
        let line = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        line.unwrap_or_else(|| panic!("{key}"))
    };
    let service = read("docs/service.md");
    for path in [value("ExecStart"), value("EnvironmentFile")] {
        // A page says how it gets there.
        assert!(service.contains(Path::new(path).parent().unwrap().to_str().unwrap()), "{path}");
    }
    // A mistake in settings, as found by the binary itself.
    let code = connector(&["--client-id", "x"]).status.code().unwrap().to_string();
    assert_eq!(value("RestartPreventExitStatus"), code);
    // What else ends it may be over by then: it is started again, less and less often.
    assert_eq!(value("Restart"), "on-failure");
    let seconds: u64 = value("RestartSec").parse().unwrap();
    assert!(seconds > 0 && value("RestartSteps").parse::<u64>().unwrap() > 0);
    assert!(value("RestartMaxDelaySec").ends_with("min"));
    // ConductorOne refuses whose clock is wrong.
    assert!(value("After").split(' ').any(|it| it == "time-sync.target"));
}

/// Asserts that a list of words, without its first ones, runs the binary with arguments that
/// it understands.
fn assert_is_command(words: &Yaml<'_>, skipped: usize) {
    let words = words.as_sequence().unwrap().iter().skip(skipped);
    let words: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words[0], "/baton-northflank");
    let run = Command::new(env!("CARGO_BIN_EXE_baton-northflank"))
        .args(&words[1..])
        // Nobody listens there: understood, asked, and answered with a no.
        .env("BATON_HEALTH_CHECK_PORT", "1")
        .output()
        .unwrap();
    assert_eq!(
        run.status.code(),
        Some(exit_code::UNAVAILABLE),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

/// What stands between the marks that C1's tools know, so that they may write it anew.
fn generated<'text>(page: &'text str, part: &str) -> &'text str {
    let (_, rest) = page.split_once(&format!("{{/* AUTO-GENERATED:START - {part}\n")).unwrap();
    rest.split_once(&format!("{{/* AUTO-GENERATED:END - {part} */}}\n")).unwrap().0
}

#[test]
fn the_page_for_c1_lists_every_resource_type_permission_and_field_of_the_form() {
    let page = read("docs/connector.mdx");
    let capabilities: serde_json::Value =
        serde_json::from_str(&read("baton_capabilities.json")).unwrap();
    let types = capabilities["resourceTypeCapabilities"].as_array().unwrap();
    let mut rows = BTreeSet::new();
    for capability in types {
        let name = match capability["resourceType"]["id"].as_str().unwrap() {
            "user" => "Account",
            _ => capability["resourceType"]["displayName"].as_str().unwrap(),
        };
        // Sync, but no provisioning.
        let mark = r##"<Icon icon="square-check" iconType="solid" color="#c937ae"/>"##;
        rows.insert(format!("| {name}s | {mark} | |"));
        for permission in capability["permissions"]["permissions"].as_array().unwrap() {
            let permission = permission["permission"].as_str().unwrap();
            assert!(page.contains(&format!("- `{permission}`:")), "{permission}");
        }
    }
    let table = generated(&page, "capabilities").lines().filter(|line| line.contains("<Icon"));
    assert_eq!(table.map(str::to_owned).collect::<BTreeSet<_>>(), rows);

    let schema: serde_json::Value = serde_json::from_str(&read("config_schema.json")).unwrap();
    let form = schema["fields"].as_array().unwrap().iter().filter_map(|field| {
        let (name, display) = (field["name"].as_str()?, field["displayName"].as_str()?);
        Some(format!("- **{display}** (`{name}`):"))
    });
    let form: Vec<_> = form.collect();
    assert!(form.len() >= 2, "{form:?}");
    let fields = generated(&page, "config-params");
    assert!(form.iter().all(|field| fields.contains(field)), "{form:?}");
}

/// All sources as one text, with texts that go over several lines put together.
fn sources() -> String {
    fn add(directory: &Path, sources: &mut String) {
        for entry in std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                add(&entry, sources);
            } else {
                sources.push_str(&std::fs::read_to_string(entry).unwrap());
            }
        }
    }
    let mut sources = String::new();
    add(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
    let mut lines = sources.split("\\\n");
    let first = lines.next().unwrap_or_default().to_owned();
    lines.fold(first, |text, line| text + line.trim_start())
}

/// The messages in the first column of the table whose head begins so.
fn messages<'text>(document: &'text str, head: &str) -> Vec<&'text str> {
    let table = document.split(head).nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    rows.flat_map(|row| code(row.split('|').nth(1).unwrap())).collect()
}

#[test]
fn every_message_that_a_page_says_to_look_for_exists() {
    let sources = sources();
    for (page, head, least) in [
        ("docs/connector.mdx", "| The message says |", 10),
        ("docs/service.md", "| Message | Level |", 7),
    ] {
        let document = read(page);
        let messages = messages(&document, head);
        assert!(messages.len() >= least, "{messages:?}");
        for part in messages.iter().flat_map(|message| message.split('…')) {
            assert!(sources.contains(part.trim()), "{page}: {part:?}");
        }
    }
}

#[test]
fn whoever_builds_it_is_told_which_rust_that_takes_and_ci_tries_it_with_that() {
    let rust = env!("CARGO_PKG_RUST_VERSION");
    for (document, text) in [
        ("README.md", format!("[Rust](https://rustup.rs) {rust} or newer")),
        ("CONTRIBUTING.md", format!("needs Rust {rust} and")),
        (".github/workflows/ci.yaml", format!("cargo +{rust} check --locked")),
    ] {
        assert!(read(document).contains(&text), "{document}: {text}");
    }
}

#[test]
fn what_makes_each_picture_is_told_and_nothing_by_hand_is_called_generated() {
    let contributing = read("CONTRIBUTING.md");
    for (picture, maker) in [
        ("changes.svg", "tests/it/terminal.rs"),
        ("review.svg", "tests/it/terminal.rs"),
        ("access.png", "tests/browser/picture.mjs"),
    ] {
        assert!(contributing.contains(&format!("docs/images/{picture}")), "{picture}");
        assert!(read(maker).contains(picture), "{maker} doesn't make {picture}");
    }
    let pictures = files(&root().join("docs/images"));
    assert_eq!(pictures.len(), 3, "{pictures:?}");
    assert!(contributing.contains("cargo accept terminal:: --ignored"));
    assert!(contributing.contains("(tests/browser/picture.mjs)"));
    assert!(!read("docs/connector.mdx").contains("Do not edit manually"));
}
