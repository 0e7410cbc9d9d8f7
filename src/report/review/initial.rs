//! Rules to begin with, from what a file holds today.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::baton::printable;
use crate::report::access::{self, AccessReport};
use crate::report::findings::FindingKind;

/// Who reads the rules, and where it is at home.
const READER: &str = env!("CARGO_PKG_NAME");
const HOME: &str = env!("CARGO_PKG_REPOSITORY");

/// What a role is called that gives everything, the most likely first.
const OWNERS: [&str; 6] = ["owner", "owners", "administrator", "administrators", "admin", "admins"];

/// How many people a list of who may hold a role names: a longer one would be nobody's.
const MOST_NAMED: usize = 50;

/// Rules that what a file holds today keeps, or almost: its owners as they are, a limit to their
/// number, and what is worth a look.
pub fn initial_rules(access: &AccessReport) -> Result<String, access::Error> {
    let mut holders: BTreeMap<String, (String, BTreeMap<String, String>)> = BTreeMap::new();
    let kinds = access.traits();
    access.each_grant(|row| {
        let (role, principal) = (&row.grant.entitlement.resource, &row.grant.principal);
        let is_person = !kinds.of(&principal.reference.resource_type).group;
        if kinds.of(&role.reference.resource_type).role && is_person {
            let name = role.reference.display_name.clone();
            let (_, people) =
                holders.entry(role.reference.key()).or_insert_with(|| (name, BTreeMap::new()));
            people.insert(principal.reference.key(), principal.reference.display_name.clone());
        }
        Ok(())
    })?;
    let mut knows_logins = false;
    access.each_resource(|of, _| {
        knows_logins |= of.person.as_ref().is_some_and(|person| person.last_login.is_some());
        Ok(())
    })?;
    // The one that is called like it, or else the one that fewest hold.
    let rank = |id: &str, name: &str| {
        let last = id.rsplit(':').next().unwrap_or_default().to_lowercase();
        let is_called = |owner: &&str| **owner == last || **owner == name.to_lowercase();
        OWNERS.iter().position(is_called).unwrap_or(OWNERS.len())
    };
    let owners = holders
        .iter()
        .min_by_key(|(id, (name, people))| (rank(id, name), people.len()))
        .map(|(id, (name, people))| (id, name, people));
    // Editors look for what may stand in rules by the first line.
    let home = HOME.trim_start_matches("https://github.com/");
    let mut text = format!(
        "# yaml-language-server: $schema=https://raw.githubusercontent.com/{home}/main/docs/review-rules.schema.json\n\
         # Who may have access to what: {READER} review --rules THIS --baseline THAT\n\
         # Everything that may stand in here: docs/review.md of {READER}.\n\
         version: 1\n\
         # An older sync is an error. A nightly one is never older:\n\
         # max-age: 26h\n\
         rules:\n"
    );
    if let Some((id, name, people)) = owners {
        let _ = write!(
            text,
            "  # Those who hold {} today, and nobody else. Name a group in place of its members:\n  \
             # group:ID. A limit keeps the list from growing unseen.\n  - id: {}\n    role: {}\n    \
             holders: {{ min: 1, max: {} }}\n",
            printable(name),
            if rank(id, name) < OWNERS.len() { "owners" } else { "fewest" },
            quoted(id),
            people.len()
        );
        if people.len() <= MOST_NAMED {
            text.push_str("    only:\n");
            for (id, name) in people {
                let _ = writeln!(text, "      - {} # {}", quoted(id), printable(name));
            }
        }
        text.push_str(
            "    # held: through-group\n    # require: { status: enabled, login-within: 90d }\n",
        );
    }
    text.push_str(
        "\n  # What is worth a look anyway. What there is today stands in the baseline: only what is\n  \
         # new is told.\n",
    );
    let is_known = |kind: &FindingKind| {
        (knows_logins || !kind.is_of_logins()) && kind.missing_in(access).is_none()
    };
    for kind in FindingKind::ALL.into_iter().filter(is_known) {
        let severity = match kind {
            FindingKind::UnusableAccounts
            | FindingKind::OutsideMemberList
            | FindingKind::PeopleWithoutRow
            | FindingKind::TeamOnlyPeople
            | FindingKind::UnexplainedMemberships => "error",
            _ => "warning",
        };
        let days = kind.default_days().map(|days| format!(", days: {days}")).unwrap_or_default();
        let id = kind.id();
        let _ = writeln!(text, "  - {{ id: {id}, finding: {id}{days}, severity: {severity} }}");
    }
    text.push_str(
        "\n# What is accepted for a time: a principal, why, and its last day, at most a year ahead.\n\
         # exceptions:\n\
         #   - { rule: owners, principal: TYPE:ID, reason: why, until: 2027-01-31 }\n",
    );
    Ok(text)
}

/// A text between quotation marks, in which YAML takes nothing for anything else.
fn quoted(text: &str) -> String {
    let is_plain = |char: char| char.is_alphanumeric() || " -_.:/@+~".contains(char);
    if text.chars().all(is_plain) {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for char in text.chars() {
        if is_plain(char) {
            quoted.push(char);
        } else {
            let _ = write!(quoted, "\\U{:08x}", u32::from(char));
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn an_id_stays_what_it_is() {
        for id in ["user:ada", "a'b", "a\"b\n", "x: y # z", "{a}", "é", "\u{0}"] {
            let text = format!("version: {}", quoted(id));
            let node = super::super::yaml::read(&text).unwrap().unwrap();
            let super::super::yaml::YamlValue::Mapping(pairs) = node.value else { panic!() };
            let super::super::yaml::YamlValue::Scalar { text, .. } = &pairs[0].1.value else {
                panic!()
            };
            assert_eq!(text, id);
        }
    }
}
