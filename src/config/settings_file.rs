//! The settings file: `.baton.yaml` in the working directory, or what `BATON_CONFIG_PATH`
//! names.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use saphyr::{Yaml, YamlLoader};
use saphyr_parser::{Event, Parser, ScalarStyle};

use crate::private_fs;

/// The file that is read where no other is named.
const DEFAULT_PATH: &str = ".baton.yaml";

/// The largest file that is read, in MiB.
const LARGEST_MIB: u64 = 1;

/// A list in the mapping is the deepest that settings go. What is deeper by a little is told
/// which key it stands under.
const DEEPEST: usize = 8;

/// The settings of a file, each as the words it was written in. The file may hold secrets:
/// there is no `Debug`.
#[derive(Default)]
pub(super) struct SettingsFile {
    path: PathBuf,
    values: BTreeMap<String, FileValue>,
    /// Keys without a value.
    empty: BTreeSet<String>,
}

/// A value of the file, in the words it was written in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileValue {
    /// A single one.
    Text(String),
    /// A list, which may hold one.
    List(Vec<String>),
}

impl FileValue {
    pub(super) fn words(&self) -> &[String] {
        match self {
            Self::Text(text) => std::slice::from_ref(text),
            Self::List(words) => words,
        }
    }
}

impl SettingsFile {
    /// Reads the file that `BATON_CONFIG_PATH` names, or else `.baton.yaml` if there is one.
    pub(super) fn read(named: Option<&str>) -> Result<Self, String> {
        let path = Path::new(named.unwrap_or(DEFAULT_PATH));
        let extension = path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, Some("yaml" | "yml")) {
            return Err(format!(
                "BATON_CONFIG_PATH is {:?}; a settings file ends in .yaml or .yml",
                path.display()
            ));
        }
        match read(path) {
            Ok(text) => {
                let (values, empty) = parse(&text)
                    .map_err(|problem| format!("can't read {}: {problem}", path.display()))?;
                Ok(Self { path: path.to_owned(), values, empty })
            }
            Err(error) if error.kind() == ErrorKind::NotFound && named.is_none() => {
                Ok(Self::default())
            }
            Err(error) => Err(format!("can't read {}: {error}", path.display())),
        }
    }

    /// Where the settings come from.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The value of a key, if it has one.
    pub(super) fn get(&self, key: &str) -> Option<&FileValue> {
        self.values.get(key)
    }

    /// Whether a key is there without a value.
    pub(super) fn is_left_empty(&self, key: &str) -> bool {
        self.empty.contains(key)
    }

    /// All keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// What a file holds, if it is one and not too large.
fn read(path: &Path) -> io::Result<String> {
    let text = private_fs::read_regular(path, LARGEST_MIB)?;
    String::from_utf8(text).map_err(|_| io::Error::other("it is not valid UTF-8"))
}

/// Whether a file is as deep as settings are, which are lists in a list. The loader's stack is
/// as deep as the file.
fn check_depth(text: &str) -> Result<(), String> {
    let mut depth: usize = 0;
    for event in Parser::new_from_str(text) {
        // The loader says better what is wrong.
        let Ok((event, _)) = event else { return Ok(()) };
        match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => depth += 1,
            Event::SequenceEnd | Event::MappingEnd => depth = depth.saturating_sub(1),
            // A few of them can stand for more text than there is memory.
            Event::Alias(_) => return Err("it repeats values by aliases (*)".to_owned()),
            _ => {}
        }
        if depth > DEEPEST {
            return Err("it is nested more deeply than settings are".to_owned());
        }
    }
    Ok(())
}

/// The file's keys, in lower case as the Go SDK takes them, with their values as written:
/// a token of digits stays what it is. Errors never quote the file, which may hold secrets.
fn parse(text: &str) -> Result<(BTreeMap<String, FileValue>, BTreeSet<String>), String> {
    check_depth(text)?;
    let mut loader = YamlLoader::<Yaml<'_>>::default();
    loader.early_parse(false);
    let scanned = Parser::new_from_str(text).load(&mut loader, true);
    if let Some(error) = scanned.as_ref().err().or(loader.error()) {
        return Err(error.to_string());
    }
    let documents = loader.into_documents();
    let mapping = match documents.as_slice() {
        [] => return Ok((BTreeMap::new(), BTreeSet::new())),
        [Yaml::Mapping(mapping)] => mapping,
        [document] if value(document).is_some_and(|value| value.words().is_empty()) => {
            return Ok((BTreeMap::new(), BTreeSet::new()));
        }
        [_] => return Err("it is not a list of `setting: value`".to_owned()),
        _ => return Err("it holds more than one YAML document".to_owned()),
    };
    let (mut values, mut empty) = (BTreeMap::new(), BTreeSet::new());
    for (key, given) in mapping {
        let Yaml::Representation(key, ..) = key else {
            return Err("a key is not a plain word".to_owned());
        };
        let key = key.to_lowercase();
        let Some(value) = value(given) else {
            return Err(format!("{key} is neither a single value nor a list of them"));
        };
        if value.words().is_empty() {
            empty.insert(key);
        } else if values.insert(key.clone(), value).is_some() {
            return Err(format!("{key} stands there twice"));
        }
    }
    Ok((values, empty))
}

/// A single value or a list of them; an empty list where it is empty.
fn value(value: &Yaml<'_>) -> Option<FileValue> {
    match value {
        Yaml::Representation(text, style, _) => {
            let is_null = *style == ScalarStyle::Plain && matches!(&**text, "" | "~" | "null");
            let is_unset = is_null || text.is_empty();
            let text = || text.clone().into_owned();
            Some(if is_unset { FileValue::List(Vec::new()) } else { FileValue::Text(text()) })
        }
        Yaml::Sequence(values) => {
            let mut all = Vec::new();
            for value in values {
                let Yaml::Representation(text, ..) = value else { return None };
                all.push(text.clone().into_owned());
            }
            Some(FileValue::List(all))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn value(text: &str, key: &str) -> Vec<String> {
        parse(text).unwrap().0.remove(key).map(|value| value.words().to_vec()).unwrap_or_default()
    }

    #[test]
    fn values_stay_as_they_are_written() {
        let text = "northflank-api-token: 0012e4\nworkers: 4\nskip-grants: yes\nfile: 'a b.c1z'\n";
        assert_eq!(value(text, "northflank-api-token"), ["0012e4"]);
        assert_eq!(value(text, "workers"), ["4"]);
        assert_eq!(value(text, "skip-grants"), ["yes"]);
        assert_eq!(value(text, "file"), ["a b.c1z"]);
    }

    #[test]
    fn lists_are_written_either_way() {
        assert_eq!(value("log-path: [a, b]", "log-path"), ["a", "b"]);
        assert_eq!(value("log-path:\n  - a\n  - b\n", "log-path"), ["a", "b"]);
    }

    #[test]
    fn empty_values_and_empty_files_set_nothing() {
        for text in ["", "# nothing\n", "file:\n", "file: ~\n", "file: ''\n", "file: []\n"] {
            assert!(parse(text).unwrap().0.is_empty(), "{text:?}");
        }
    }

    #[test]
    fn keys_are_known_in_any_case() {
        assert_eq!(value("Log-Level: debug", "log-level"), ["debug"]);
        assert!(parse("FILE: a\nfile: b\n").is_err());
    }

    #[test]
    fn what_would_take_the_stack_or_the_memory_is_refused() {
        for text in [
            "- ".repeat(100_000),
            "[".repeat(100_000),
            "{a: ".repeat(100_000),
            format!("a: &a {}\nlog-path: [{}]", "x".repeat(500_000), "*a, ".repeat(100_000)),
        ] {
            let problem = parse(&text).unwrap_err();
            let said = ["nested", "recursion limit", "aliases"];
            assert!(said.iter().any(|said| problem.contains(said)), "{problem}");
        }
    }

    #[test]
    fn only_a_regular_file_of_a_reasonable_size_is_read() {
        use super::SettingsFile;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("large.yaml");
        std::fs::write(&path, format!("file: {}", "x".repeat(1 << 20))).unwrap();
        let problem = SettingsFile::read(path.to_str()).err().unwrap();
        assert!(problem.ends_with("it is larger than 1 MiB"), "{problem}");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        let problem = SettingsFile::read(path.to_str()).err().unwrap();
        assert!(problem.ends_with("it is no regular file"), "{problem}");
    }

    #[test]
    fn what_is_no_list_of_settings_is_refused_without_quoting_it() {
        for text in [
            "nf-secret",
            "- nf-secret",
            "northflank-api-token: {a: nf-secret}",
            "northflank-api-token: [[nf-secret]]",
            "northflank-api-token: 'nf-secret",
            "a: 1\nb: nf-secret: x\n",
            "a: 1\n---\nb: nf-secret\n",
        ] {
            let problem = parse(text).unwrap_err();
            assert!(!problem.contains("nf-secret"), "{problem}");
        }
    }
}
