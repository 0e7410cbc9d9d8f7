//! Documents say what is true: variables exist, manifests are YAML, every resource type is
//! listed.

use std::collections::BTreeSet;
use std::path::Path;

use saphyr::{LoadableYamlNode, Yaml};

/// Variables that are no settings of a run.
const FURTHER_VARIABLES: [&str; 6] = [
    "BATON_C1Z_TEMP_DIR",
    "BATON_C1_API_HOST",
    "BATON_CONFIG_PATH",
    "BATON_HOST_ID",
    "BATON_KEEP_SYNC_COUNT",
    "BATON_SKIP_CLEANUP",
];

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The variables that the manual page names, hidden ones included by the schema.
fn known_variables() -> BTreeSet<String> {
    let schema: serde_json::Value = serde_json::from_str(&read("config_schema.json")).unwrap();
    let exported = schema["fields"].as_array().unwrap().iter().map(|field| {
        let name = field["name"].as_str().unwrap();
        format!("BATON_{}", name.replace('-', "_").to_uppercase())
    });
    let help = std::process::Command::new(env!("CARGO_BIN_EXE_baton-northflank"))
        .arg("--help")
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    exported.chain(variables(&help)).chain(FURTHER_VARIABLES.map(str::to_owned)).collect()
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
    for document in ["README.md", "docs/connector.mdx", "CONTRIBUTING.md"] {
        let named = variables(&read(document));
        assert!(!named.is_empty());
        let unknown: Vec<_> = named.difference(&known).collect();
        assert!(unknown.is_empty(), "{document}: {unknown:?}");
    }
}

/// The documents of a Markdown file's YAML blocks.
fn manifests(document: &str) -> Vec<Yaml<'_>> {
    document
        .split("```yaml\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .map(|manifest| Yaml::load_from_str(manifest).unwrap().remove(0))
        .collect()
}

#[test]
fn the_manifests_are_yaml_that_names_the_image_and_the_secret_once() {
    for path in ["README.md", "docs/connector.mdx"] {
        let document = read(path);
        let manifests = manifests(&document);
        let of_kind = |kind: &str| {
            let is_kind = |it: &&Yaml<'_>| {
                it.contains_mapping_key("kind") && it["kind"].as_str() == Some(kind)
            };
            let mut found = manifests.iter().filter(is_kind);
            let manifest = found.next().unwrap_or_else(|| panic!("no {kind} in {path}"));
            assert!(found.next().is_none());
            manifest
        };
        let (secret, deployment) = (of_kind("Secret"), of_kind("Deployment"));
        let pod = &deployment["spec"]["template"]["spec"];
        let container = &pod["containers"][0];
        assert_eq!(
            container["envFrom"][0]["secretRef"]["name"].as_str(),
            secret["metadata"]["name"].as_str()
        );
        for name in ["BATON_CLIENT_ID", "BATON_CLIENT_SECRET", "BATON_NORTHFLANK_API_TOKEN"] {
            assert!(secret["stringData"][name].is_string(), "{name}");
        }
        assert_eq!(pod["securityContext"]["runAsNonRoot"].as_bool(), Some(true));
        let security = &container["securityContext"];
        assert_eq!(security["readOnlyRootFilesystem"].as_bool(), Some(true));
        assert_eq!(
            container["volumeMounts"][0]["name"].as_str(),
            pod["volumes"][0]["name"].as_str()
        );
        for probe in ["livenessProbe", "readinessProbe"] {
            assert_is_command(&container[probe]["exec"]["command"], 0);
        }
    }
}

#[test]
fn the_compose_file_is_yaml_with_a_health_check_that_exists() {
    let document = read("README.md");
    let manifests = manifests(&document);
    let services = manifests.iter().find(|it| it.contains_mapping_key("services")).unwrap();
    let service = &services["services"]["baton-northflank"];
    assert_eq!(service["read_only"].as_bool(), Some(true));
    assert_is_command(&service["healthcheck"]["test"], 1);
}

/// Asserts that a list of words, without its first ones, runs the binary with arguments that
/// it understands.
fn assert_is_command(words: &Yaml<'_>, skipped: usize) {
    let words = words.as_sequence().unwrap().iter().skip(skipped);
    let words: Vec<_> = words.map(|word| word.as_str().unwrap()).collect();
    assert_eq!(words[0], "/baton-northflank");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_baton-northflank"))
        .args(&words[1..])
        // Nobody listens there: understood, asked, and answered with a no.
        .env("BATON_HEALTH_CHECK_PORT", "1")
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(14), "{}", String::from_utf8_lossy(&run.stderr));
}

#[test]
fn the_table_of_capabilities_lists_every_resource_type() {
    let document = read("docs/connector.mdx");
    let capabilities: serde_json::Value =
        serde_json::from_str(&read("baton_capabilities.json")).unwrap();
    for capability in capabilities["resourceTypeCapabilities"].as_array().unwrap() {
        let id = capability["resourceType"]["id"].as_str().unwrap();
        let row = document.lines().find(|line| line.contains(&format!("(`{id}`) |")));
        let row = row.unwrap_or_else(|| panic!("{id}"));
        // Sync, but no provisioning.
        assert_eq!(row.matches("square-check").count(), 1, "{row}");
        for permission in capability["permissions"]["permissions"].as_array().unwrap() {
            assert!(document.contains(permission["permission"].as_str().unwrap()));
        }
    }
}

#[test]
fn the_architecture_names_every_room() {
    let document = read("ARCHITECTURE.md");
    let rooms = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    for room in rooms.map(Result::unwrap).filter(|room| room.path().is_dir()) {
        let name = room.file_name().into_string().unwrap();
        assert!(document.contains(&format!("| `{name}/` |")), "{name}");
    }
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

#[test]
fn every_message_of_the_troubleshooting_table_exists() {
    let document = read("docs/connector.mdx");
    let table = document.split("| The message says |").nth(1).unwrap();
    let sources = sources();
    let messages: Vec<_> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .collect();
    assert!(messages.len() >= 10, "{messages:?}");
    for part in messages.iter().flat_map(|message| message.split('…')) {
        assert!(sources.contains(part.trim()), "{part:?}");
    }
}
