//! The settings file: `.baton.yaml` in the working directory, or what `BATON_CONFIG_PATH`
//! names.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use saphyr::{Yaml, YamlLoader};
use saphyr_parser::{Parser, ScalarStyle};

/// The file that is read where no other is named.
const DEFAULT_PATH: &str = ".baton.yaml";

/// The settings of a file, each as the words it was written in. The file may hold secrets:
/// there is no `Debug`.
#[derive(Default)]
pub(super) struct SettingsFile {
    path: PathBuf,
    values: BTreeMap<String, Vec<String>>,
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
        match std::fs::read_to_string(path) {
            Ok(text) => {
                let values = parse(&text)
                    .map_err(|problem| format!("can't read {}: {problem}", path.display()))?;
                Ok(Self { path: path.to_owned(), values })
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
    pub(super) fn get(&self, key: &str) -> Option<&[String]> {
        self.values.get(key).map(Vec::as_slice)
    }

    /// All keys.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }
}

/// The file's keys, in lower case as the Go SDK takes them, with their values as written:
/// a token of digits stays what it is. Errors never quote the file, which may hold secrets.
fn parse(text: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut loader = YamlLoader::<Yaml<'_>>::default();
    loader.early_parse(false);
    let scanned = Parser::new_from_str(text).load(&mut loader, true);
    if let Some(error) = scanned.as_ref().err().or(loader.error()) {
        return Err(error.to_string());
    }
    let documents = loader.into_documents();
    let mapping = match documents.as_slice() {
        [] => return Ok(BTreeMap::new()),
        [Yaml::Mapping(mapping)] => mapping,
        [document] if words(document).is_some_and(|words| words.is_empty()) => {
            return Ok(BTreeMap::new());
        }
        [_] => return Err("it is not a list of `setting: value`".to_owned()),
        _ => return Err("it holds more than one YAML document".to_owned()),
    };
    let mut values = BTreeMap::new();
    for (key, value) in mapping {
        let Yaml::Representation(key, ..) = key else {
            return Err("a key is not a plain word".to_owned());
        };
        let key = key.to_lowercase();
        let Some(words) = words(value) else {
            return Err(format!("{key} is neither a single value nor a list of them"));
        };
        if !words.is_empty() && values.insert(key.clone(), words).is_some() {
            return Err(format!("{key} stands there twice"));
        }
    }
    Ok(values)
}

/// A single value or a list of them; none where it is empty.
fn words(value: &Yaml<'_>) -> Option<Vec<String>> {
    match value {
        Yaml::Representation(text, style, _) => {
            let is_null = *style == ScalarStyle::Plain && matches!(&**text, "" | "~" | "null");
            let is_unset = is_null || text.is_empty();
            Some(if is_unset { Vec::new() } else { vec![text.clone().into_owned()] })
        }
        Yaml::Sequence(values) => {
            let mut all = Vec::new();
            for value in values {
                let Yaml::Representation(text, ..) = value else { return None };
                all.push(text.clone().into_owned());
            }
            Some(all)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn value(text: &str, key: &str) -> Vec<String> {
        parse(text).unwrap().remove(key).unwrap_or_default()
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
            assert!(parse(text).unwrap().is_empty(), "{text:?}");
        }
    }

    #[test]
    fn keys_are_known_in_any_case() {
        assert_eq!(value("Log-Level: debug", "log-level"), ["debug"]);
        assert!(parse("FILE: a\nfile: b\n").is_err());
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
