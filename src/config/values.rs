//! Looks settings up: a flag goes before its variable, a variable before the file, the file
//! before the default. Collects everything that is wrong.

use std::ffi::OsString;
use std::path::Path;

use secrecy::SecretString;

use crate::baton::shorten;

use super::field::{Field, FieldKind};
use super::fields::FIELDS;
use super::flags::Flags;
use super::problems::Problems;
use super::redact::Secrets;
use super::settings_file::{FileValue, SettingsFile};

/// What to do with quotation marks that a value has kept.
const LEAVE_THEM_OUT: &str = "leave them out, docker's --env-file keeps them";

/// The longest list that a message holds, in bytes.
const LONGEST_LIST: usize = 300;

/// Looks an environment variable up.
pub(crate) type Variables<'source> = &'source dyn Fn(&str) -> Option<OsString>;

/// All sources of settings, and the problems found so far.
pub(super) struct Values<'source> {
    flags: &'source Flags,
    variables: Variables<'source>,
    file: SettingsFile,
    problems: Problems,
    secrets: Secrets,
}

/// A value as it was given, and where.
struct SourcedValue {
    words: Vec<String>,
    /// Whether it was given as a list, be it of one word.
    is_list: bool,
    /// Names the setting for whoever gave it.
    name: String,
}

impl<'source> Values<'source> {
    /// All sources. Reads the file.
    pub(super) fn new(flags: &'source Flags, variables: Variables<'source>) -> Self {
        let secrets = Secrets::of(variables);
        let mut values = Self { variables, secrets, ..Self::of_flags(flags) };
        let path = values.unquoted("BATON_CONFIG_PATH");
        match SettingsFile::read(path.as_deref()) {
            Ok(file) => values.file = file,
            Err(problem) => values.problem(values.secrets.hide_in_typed(&problem)),
        }
        // Not to be repeated where they stand in another's place.
        for field in FIELDS.iter().filter(|field| field.is_secret) {
            let in_file = values.file.get(field.name).map(FileValue::words);
            for word in [flags.get(field), in_file].into_iter().flatten().flatten() {
                values.secrets.add(word);
            }
        }
        values
    }

    /// Flags alone: neither variables nor a file.
    pub(super) fn of_flags(flags: &'source Flags) -> Self {
        let variables: Variables<'static> = &|_| None;
        let (file, problems) = (SettingsFile::default(), Problems::none());
        Self { flags, variables, file, problems, secrets: Secrets::of(variables) }
    }

    /// Keys of the file that are no settings of this connector.
    pub(super) fn unknown_keys(&self) -> Option<String> {
        let is_known = |key: &str| FIELDS.iter().any(|field| field.name == key);
        let unknown = self.file.keys().filter(|key| !is_known(key));
        let shown: Vec<_> = unknown.map(|key| self.secrets.hide_in_name(key)).collect();
        (!shown.is_empty()).then(|| shorten(&shown.join(", "), LONGEST_LIST))
    }

    /// Whether the field was given anywhere.
    pub(super) fn is_given(&mut self, field: &Field) -> bool {
        self.sourced_value(field).is_some()
    }

    /// Whether the field was given anywhere, and not as a switch that is off.
    pub(super) fn is_set(&mut self, field: &Field) -> bool {
        if field.kind == FieldKind::Switch { self.switch(field) } else { self.is_given(field) }
    }

    /// A text that isn't blank, or its default.
    pub(super) fn text(&mut self, field: &Field) -> Option<String> {
        self.parsed(field, |text| match text {
            "" => Err("it can't be blank".to_owned()),
            text => Ok(text.to_owned()),
        })
    }

    /// A text that was given, whatever it is: what is wrong with it is told elsewhere.
    pub(super) fn text_if_given(&mut self, field: &Field) -> Option<String> {
        self.sourced_value(field)?.words.into_iter().next()
    }

    /// A text, or its default, as something else.
    pub(super) fn parsed<T>(
        &mut self,
        field: &Field,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<T> {
        let given = match (self.sourced_value(field), field.default) {
            (Some(given), _) => given,
            (None, Some(default)) => {
                let (words, name) = (vec![default.to_owned()], field.name.to_owned());
                SourcedValue { words, is_list: false, name }
            }
            (None, None) => return None,
        };
        let parsed = match given.words.as_slice() {
            [text] if !given.is_list && is_in_quotation_marks(text) => {
                Err(format!("is in quotation marks; {LEAVE_THEM_OUT}"))
            }
            [text] if !given.is_list => parse(text.trim())
                .map_err(|problem| format!("is {}; {problem}", self.secrets.quote(text))),
            _ => Err("is a list; it takes one value".to_owned()),
        };
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problem(format!("{} {problem}", given.name));
                None
            }
        }
    }

    /// A whole number within the field's bounds, or its default.
    pub(super) fn number<T: TryFrom<i64>>(&mut self, field: &Field) -> Option<T> {
        let (lowest, highest) = match field.kind {
            FieldKind::Number { lowest, highest } => (lowest, highest),
            FieldKind::Text | FieldKind::Option { .. } | FieldKind::Switch | FieldKind::List => {
                (i64::MIN, i64::MAX)
            }
        };
        self.parsed(field, |text| {
            let number = text.parse().ok().filter(|number| (lowest..=highest).contains(number));
            number
                .and_then(|number| T::try_from(number).ok())
                .ok_or_else(|| format!("it takes a number from {lowest} to {highest}"))
        })
    }

    /// Whether a switch is on. Written as Go reads truth values.
    pub(super) fn switch(&mut self, field: &Field) -> bool {
        self.sourced_value(field).is_some() && self.parsed(field, truth).unwrap_or_default()
    }

    /// A list; commas and blanks separate its parts.
    pub(super) fn list<T>(
        &mut self,
        field: &Field,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let Some(given) = self.sourced_value(field) else { return Vec::new() };
        let whole = [given.words.join(" ")];
        if given.words.iter().chain(&whole).any(|word| is_in_quotation_marks(word)) {
            self.problem(format!("{} is in quotation marks; {LEAVE_THEM_OUT}", given.name));
            return Vec::new();
        }
        let parts = given.words.iter().flat_map(|word| word.split(','));
        let mut list = Vec::new();
        for part in parts.map(str::trim).filter(|part| !part.is_empty()) {
            match parse(part) {
                Ok(value) => list.push(value),
                Err(problem) => {
                    let part = self.secrets.quote(part);
                    self.problem(format!("{} has {part}; {problem}", given.name));
                }
            }
        }
        list
    }

    /// A secret without the blanks that copying leaves around it. No problem quotes it.
    pub(super) fn secret(&mut self, field: &Field) -> Option<SecretString> {
        let given = self.sourced_value(field)?;
        let problem = match given.words.as_slice() {
            _ if given.is_list => "is a list; it takes one value",
            [secret] if secret.trim().is_empty() => "is blank",
            // No secret has any.
            [secret] if secret.contains(['"', '\'', '`']) => {
                self.problem(format!("{} has quotation marks; {LEAVE_THEM_OUT}", given.name));
                return None;
            }
            [secret] if secret.trim().bytes().all(|byte| byte.is_ascii_graphic()) => {
                return Some(secret.trim().into());
            }
            [_] => "has characters that it can't have; was it copied whole and alone?",
            _ => "is a list; it takes one value",
        };
        self.problem(format!("{} {problem}", given.name));
        None
    }

    /// A variable that is no field's. An empty one counts as unset, as it does for other
    /// baton connectors.
    pub(super) fn variable(&mut self, name: &str) -> Option<String> {
        match (self.variables)(name)?.into_string() {
            Ok(value) if value.is_empty() => None,
            Ok(value) => Some(value),
            Err(_) => {
                self.problem(format!("{name} is not valid UTF-8"));
                None
            }
        }
    }

    /// A variable that is no field's, and in no quotation marks.
    pub(super) fn unquoted(&mut self, name: &str) -> Option<String> {
        let text = self.variable(name)?;
        if is_in_quotation_marks(&text) {
            self.problem(format!("{name} is in quotation marks; {LEAVE_THEM_OUT}"));
            return None;
        }
        Some(text)
    }

    /// A variable as it is, which may be a path of any bytes, or empty.
    pub(super) fn raw(&self, name: &str) -> Option<OsString> {
        (self.variables)(name)
    }

    /// A whole number from 0 up in a variable that is no field's.
    pub(super) fn count(&mut self, name: &str) -> Option<usize> {
        let text = self.unquoted(name)?;
        let count = text.trim().parse().ok();
        if count.is_none() {
            let shown = self.secrets.quote(&text);
            self.problem(format!("{name} is {shown}; it takes a number"));
        }
        count
    }

    /// A text in a variable that is no field's, unless it is blank.
    pub(super) fn filled(&mut self, name: &str) -> Option<String> {
        self.unquoted(name).filter(|text| !text.trim().is_empty())
    }

    /// A truth value in a variable that is no field's.
    pub(super) fn truth(&mut self, name: &str) -> bool {
        let Some(text) = self.unquoted(name) else { return false };
        truth(text.trim()).unwrap_or_else(|problem| {
            let shown = self.secrets.quote(&text);
            self.problem(format!("{name} is {shown}; {problem}"));
            false
        })
    }

    /// Keeps a secret out of all that is said.
    pub(super) fn hide(&mut self, secret: &str) {
        self.secrets.add(secret);
    }

    /// Whether a secret stands in the settings file.
    pub(super) fn has_secret_in_file(&self) -> bool {
        FIELDS.iter().any(|field| field.is_secret && self.file.get(field.name).is_some())
    }

    /// The settings file, if there is one.
    pub(super) fn settings_file(&self) -> &Path {
        self.file.path()
    }

    /// Whether the field's variable or its key in the file is there without anything in it.
    pub(super) fn is_left_empty(&self, field: &Field) -> bool {
        let variable = (self.variables)(&field.variable());
        variable.is_some_and(|value| value.is_empty()) || self.file.is_left_empty(field.name)
    }

    /// Notes something that is wrong.
    pub(super) fn problem(&mut self, problem: String) {
        self.problems.add(problem);
    }

    /// Whether something was found wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Everything that was found wrong, or else `value`.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Problems> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(self.problems),
        }
    }

    fn sourced_value(&mut self, field: &Field) -> Option<SourcedValue> {
        if let Some(words) = self.flags.get(field) {
            let (words, name) = (words.to_vec(), field.both_names());
            return Some(SourcedValue { words, is_list: false, name });
        }
        if let Some(text) = self.variable(&field.variable()) {
            // The Go SDK takes blanks for separators in variables.
            let words = match field.kind {
                FieldKind::List => text.split_whitespace().map(str::to_owned).collect(),
                FieldKind::Text
                | FieldKind::Option { .. }
                | FieldKind::Switch
                | FieldKind::Number { .. } => {
                    vec![text]
                }
            };
            return Some(SourcedValue { words, is_list: false, name: field.both_names() });
        }
        let value = self.file.get(field.name)?;
        let words = match value {
            // As in variables. In a list blanks are kept.
            FileValue::Text(text) if field.kind == FieldKind::List => {
                text.split_whitespace().map(str::to_owned).collect()
            }
            value => value.words().to_vec(),
        };
        Some(SourcedValue {
            words,
            is_list: matches!(value, FileValue::List(_)),
            name: format!("{} in {}", field.name, self.file.path().display()),
        })
    }
}

/// Whether a value has kept the quotation marks that somebody wrote around it.
fn is_in_quotation_marks(text: &str) -> bool {
    let text = text.trim();
    let inner = |mark| text.strip_prefix(mark).and_then(|rest: &str| rest.strip_suffix(mark));
    ['"', '\''].into_iter().any(|mark| inner(mark).is_some())
}

/// A truth value, written as the reference's language reads them.
fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err("it takes true or false".to_owned()),
    }
}
