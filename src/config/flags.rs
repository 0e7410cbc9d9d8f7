//! Flags, made from [`fields`](super::fields), and what was given as flags.

use std::collections::HashMap;

use clap::{Arg, ArgAction, ArgMatches};

use super::field::{Field, FieldKind};

/// The arguments of a command line for these fields.
pub(crate) fn arguments(fields: &[&Field]) -> Vec<Arg> {
    fields.iter().map(|field| argument(field)).collect()
}

/// The settings that were given as flags. Some are secrets: there is no `Debug`.
#[derive(Default)]
pub(crate) struct Flags(HashMap<&'static str, Vec<String>>);

impl Flags {
    /// What was given for a field.
    pub(super) fn get(&self, field: &Field) -> Option<&[String]> {
        self.0.get(field.name).map(Vec::as_slice)
    }

    /// What was given for `fields`.
    pub(crate) fn from_matches(matches: &ArgMatches, fields: &[&Field]) -> Self {
        let given = fields.iter().filter_map(|field| {
            let words = matches.get_many::<String>(field.name)?;
            Some((field.name, words.cloned().collect()))
        });
        Self(given.collect())
    }
}

fn argument(field: &Field) -> Arg {
    let argument = Arg::new(field.name)
        .long(field.name)
        .help(help(field))
        .help_heading(field.group.heading())
        .value_name(field.value)
        .hide(field.is_hidden)
        .action(if field.kind == FieldKind::List { ArgAction::Append } else { ArgAction::Set });
    let argument = match field.short {
        Some(short) => argument.short(short),
        None => argument,
    };
    let optional = |argument: Arg, bare| {
        argument.num_args(0..=1).require_equals(true).default_missing_value(bare)
    };
    match field.kind {
        FieldKind::Switch => optional(argument, "true"),
        FieldKind::Option { bare } => optional(argument, bare),
        FieldKind::Number { .. } => argument.allow_negative_numbers(true),
        FieldKind::Text | FieldKind::List => argument,
    }
}

/// The field's help with its variable and default.
fn help(field: &Field) -> String {
    let default = match (field.is_required, field.default.or(field.default_in_words)) {
        (true, _) => " [required]".to_owned(),
        (false, Some(default)) => format!(" [default: {default}]"),
        (false, None) => String::new(),
    };
    let aside = field.aside.map(|aside| format!("; {aside}")).unwrap_or_default();
    format!("{}{aside} (${}){default}", field.help, field.variable())
}

#[cfg(test)]
mod tests {
    use super::super::fields::{self, FIELDS};
    use super::{FieldKind, Flags, arguments};
    use std::collections::HashSet;

    fn command() -> clap::Command {
        clap::Command::new("x").disable_version_flag(true).args(arguments(FIELDS))
    }

    #[test]
    fn the_flags_are_consistent() {
        command().debug_assert();
        let names: HashSet<_> = FIELDS.iter().map(|field| field.name).collect();
        assert_eq!(names.len(), FIELDS.len());
        let is_number = |field: &&&super::Field| matches!(field.kind, FieldKind::Number { .. });
        for field in FIELDS.iter().filter(is_number) {
            assert!(field.default.unwrap().parse::<i64>().is_ok(), "{}", field.name);
        }
    }

    #[test]
    fn every_flag_that_is_shown_names_its_variable_in_the_help() {
        let help = command().render_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for field in FIELDS {
            let variable = format!("(${})", field.variable());
            assert_eq!(help.contains(&variable), !field.is_hidden, "{variable}");
        }
    }

    #[test]
    fn a_switch_needs_no_value_and_takes_one() {
        let given = |words: &[&str]| {
            let matches = command().get_matches_from(["x"].iter().chain(words));
            Flags::from_matches(&matches, FIELDS).get(fields::DIFF).map(<[String]>::to_vec)
        };
        assert_eq!(given(&["--diff"]), Some(vec!["table".into()]));
        assert_eq!(given(&["--diff=json"]), Some(vec!["json".into()]));
        assert_eq!(given(&[]), None);
    }
}
