//! Reading rules. Whatever is wrong with them is told at once.

use std::collections::BTreeSet;

use time::macros::format_description;
use time::{Date, Month};

use crate::report::findings::{FindingKind, FindingQuery};
use crate::suggest::Suggestions;

use super::duration::RuleDuration;
use super::fields::YamlFields;
use super::position::{Position, RuleMistakes};
use super::rules::{
    Demands, ExceptionOf, HeldSubject, HeldWay, Rule, RuleException, RuleSet, RuleSubject,
    Severity, UnknownLogin,
};
use super::yaml::{self, YamlNode, YamlValue};

/// The largest file of rules, in bytes.
const LARGEST: usize = 1 << 20;

/// The version of rules that is understood.
const VERSION: &str = "1";

/// The longest id of a rule.
const LONGEST_ID: usize = 100;

const FILE_KEYS: [&str; 4] = ["version", "max-age", "rules", "exceptions"];
const RULE_KEYS: [&str; 14] = [
    "id",
    "role",
    "group",
    "any-role",
    "not-together",
    "finding",
    "days",
    "only",
    "holders",
    "held",
    "require",
    "unknown-login",
    "severity",
    "why",
];
const SUBJECTS: [&str; 5] = ["role", "group", "any-role", "not-together", "finding"];
const DEMANDS: [&str; 5] = ["only", "holders", "held", "require", "unknown-login"];
const EXCEPTION_KEYS: [&str; 5] = ["rule", "principal", "resource", "reason", "until"];

/// What the status of an account may be demanded to be.
const STATUSES: [&str; 4] = ["enabled", "disabled", "deleted", "pending"];

const DURATION: &str = "a whole number with s, m, h or d, such as 26h or 90d";

impl RuleSet {
    /// Reads rules as they are on the day `today`, in UTC.
    pub fn parse(text: &str, today: Date) -> Result<Self, RuleMistakes> {
        if text.len() > LARGEST {
            return Err(RuleMistakes::one(Position::START, "it is larger than 1 MiB"));
        }
        let nothing = || RuleMistakes::one(Position::START, "it holds no rules");
        let document = yaml::read(text)?.ok_or_else(nothing)?;
        let mut mistakes = RuleMistakes::default();
        let rules = rule_set(&document, today, &mut mistakes);
        mistakes.check()?;
        rules.ok_or_else(nothing)
    }
}

fn rule_set(document: &YamlNode, today: Date, mistakes: &mut RuleMistakes) -> Option<RuleSet> {
    let fields = YamlFields::read(document, "a file of rules", &FILE_KEYS, mistakes)?;
    match fields.required("version", "a file of rules", mistakes) {
        Some(version) if version.value != VERSION => {
            let text = format!("version {:?} isn't known here; 1 is", version.value);
            mistakes.add(version.at, text);
        }
        _ => {}
    }
    let max_age = fields.parsed("max-age", DURATION, mistakes, RuleDuration::parse);
    let nodes = list(&fields, "rules", mistakes);
    if nodes.is_empty() {
        let at = fields.place("rules").unwrap_or(fields.at);
        mistakes.add(at, "there is no rule: whatever holds would pass");
    }
    // An id counts even where something else is wrong with its rule.
    let mut ids = BTreeSet::new();
    let mut rules = Vec::new();
    for node in nodes {
        rules.extend(rule(node, &mut ids, mistakes));
    }
    let exceptions = list(&fields, "exceptions", mistakes).iter();
    let exceptions = exceptions.filter_map(|node| exception(node, &ids, today, mistakes)).collect();
    Some(RuleSet { max_age, rules, exceptions })
}

/// The items of a list.
fn list<'node>(
    fields: &YamlFields<'node>,
    key: &str,
    mistakes: &mut RuleMistakes,
) -> &'node [YamlNode] {
    match fields.get(key) {
        Some(YamlNode { value: YamlValue::List(nodes), .. }) => nodes,
        Some(node) => {
            mistakes.add(node.at, format!("{key} is a list"));
            &[]
        }
        None => &[],
    }
}

fn rule(node: &YamlNode, ids: &mut BTreeSet<String>, mistakes: &mut RuleMistakes) -> Option<Rule> {
    let fields = YamlFields::read(node, "a rule", &RULE_KEYS, mistakes)?;
    let id = fields.required("id", "a rule", mistakes);
    if let Some(id) = &id {
        if !is_id(&id.value) {
            let text = "an id is made of letters, digits, - . and _, and begins with one of the \
                        first two";
            mistakes.add(id.at, text);
        }
        if !ids.insert(id.value.clone()) {
            mistakes.add(id.at, format!("another rule has the id {:?}", id.value));
        }
    }
    let subject = subject(&fields, mistakes);
    let severity = fields.parsed("severity", "error or warning", mistakes, Severity::of_word);
    let why = fields.text("why", mistakes).map(|why| why.value);
    Some(Rule {
        at: fields.at,
        id: id?.value,
        subject: subject?,
        severity: severity.map(|severity| severity.value).unwrap_or_default(),
        why,
    })
}

/// Whether a text may be a rule's id: it stands in files and lines of others.
fn is_id(text: &str) -> bool {
    let is_inner = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_');
    text.len() <= LONGEST_ID
        && text.starts_with(|char: char| char.is_ascii_alphanumeric())
        && text.chars().all(is_inner)
}

fn subject(fields: &YamlFields<'_>, mistakes: &mut RuleMistakes) -> Option<RuleSubject> {
    let subjects: Vec<_> =
        SUBJECTS.into_iter().filter(|subject| fields.get(subject).is_some()).collect();
    // Where there isn't exactly one, whatever else is wrong is told all the same.
    let demands = demands(fields, mistakes);
    let mut values: Vec<_> =
        subjects.iter().map(|subject| subject_value(fields, subject, &demands, mistakes)).collect();
    let [subject] = subjects[..] else {
        mistakes.add(fields.at, format!("a rule is about exactly one of {}", SUBJECTS.join(", ")));
        return None;
    };
    check_demands(fields, subject, &demands, mistakes);
    values.pop().flatten()
}

/// What a subject says.
fn subject_value(
    fields: &YamlFields<'_>,
    subject: &str,
    demands: &Demands,
    mistakes: &mut RuleMistakes,
) -> Option<RuleSubject> {
    let at = fields.place(subject)?;
    let ids = |least: usize, mistakes: &mut RuleMistakes| {
        let ids = fields.texts(subject, mistakes)?;
        if ids.len() < least {
            let what = if least == 1 { "an id" } else { "two ids or more" };
            mistakes.add(at, format!("{subject} needs {what}"));
        }
        Some(ids)
    };
    let held = match subject {
        "not-together" => return ids(2, mistakes).map(RuleSubject::NotTogether),
        "finding" => return finding(fields, mistakes).map(RuleSubject::Finding),
        "role" => HeldSubject::Roles(ids(1, mistakes)?),
        "group" => HeldSubject::Groups(ids(1, mistakes)?),
        _ => {
            let is_true = |text: &str| (text == "true").then_some(());
            fields.parsed(subject, "true where it is there", mistakes, is_true)?;
            HeldSubject::AnyRole
        }
    };
    Some(RuleSubject::Holders(held, Box::new(demands.clone())))
}

/// Whether the subject takes what is demanded, and has what it takes.
fn check_demands(
    fields: &YamlFields<'_>,
    subject: &str,
    demands: &Demands,
    mistakes: &mut RuleMistakes,
) {
    if subject != "finding"
        && let Some(at) = fields.place("days")
    {
        mistakes.add(at, "days is for a finding that is a matter of days");
    }
    if matches!(subject, "not-together" | "finding") {
        for demand in DEMANDS {
            if let Some(at) = fields.place(demand) {
                mistakes.add(at, format!("{subject} takes no {demand}"));
            }
        }
        return;
    }
    match fields.place("held") {
        Some(at) if subject == "group" => mistakes.add(at, "held is for roles"),
        _ => {}
    }
    match fields.place("unknown-login") {
        Some(at) if demands.login_within.is_none() => {
            mistakes.add(at, "unknown-login says nothing where require has no login-within");
        }
        _ => {}
    }
    let is_any_way = fields.get("held").is_none() || demands.held == Some(HeldWay::Any);
    if is_any_way && ["only", "holders", "require"].iter().all(|key| fields.get(key).is_none()) {
        let text = "it demands nothing; a rule about holders needs one or more of only, holders, \
                    held, require";
        mistakes.add(fields.at, text);
    }
}

fn finding(fields: &YamlFields<'_>, mistakes: &mut RuleMistakes) -> Option<FindingQuery> {
    let days = |text: &str| text.parse::<u16>().ok().filter(|days| *days > 0);
    let days = fields.parsed("days", "a whole number from 1 to 65535", mistakes, days);
    let id = fields.text("finding", mistakes)?;
    let Some(kind) = FindingKind::of_id(&id.value) else {
        let known = FindingKind::ALL.map(FindingKind::id).join(", ");
        mistakes.add(id.at, format!("unknown finding {:?}; there are {known}", id.value));
        return None;
    };
    let mut query = FindingQuery::new(kind);
    match fields.place("days") {
        Some(at) if kind.default_days().is_none() => {
            mistakes.add(at, format!("{} is no matter of days", kind.id()));
        }
        Some(_) => query.days = days?.value,
        None => {}
    }
    Some(query)
}

/// What is demanded, whatever the subject may take of it.
fn demands(fields: &YamlFields<'_>, mistakes: &mut RuleMistakes) -> Demands {
    let mut demands = Demands { only: fields.texts("only", mistakes), ..Demands::default() };
    if let Some(node) = fields.get("holders") {
        (demands.min, demands.max) = holders(node, mistakes);
    }
    let way = |word: &str| match word {
        "through-group" => Some(HeldWay::ThroughGroup),
        "directly" => Some(HeldWay::Directly),
        "any" => Some(HeldWay::Any),
        _ => None,
    };
    let held = fields.parsed("held", "through-group, directly or any", mistakes, way);
    demands.held = held.map(|way| way.value);
    if let Some(node) = fields.get("require") {
        require(node, &mut demands, mistakes);
    }
    let unknown_login = |word: &str| match word {
        "warn" => Some(UnknownLogin::Warn),
        "fail" => Some(UnknownLogin::Fail),
        "ignore" => Some(UnknownLogin::Ignore),
        _ => None,
    };
    if let Some(word) =
        fields.parsed("unknown-login", "warn, fail or ignore", mistakes, unknown_login)
    {
        demands.unknown_login = word.value;
    }
    demands
}

fn holders(node: &YamlNode, mistakes: &mut RuleMistakes) -> (Option<u64>, Option<u64>) {
    let Some(fields) = YamlFields::read(node, "holders", &["min", "max"], mistakes) else {
        return (None, None);
    };
    let [min, max] = ["min", "max"].map(|key| fields.number(key, mistakes));
    match (&min, &max) {
        (Some(min), Some(max)) if max.value < min.value => {
            mistakes.add(max.at, format!("max {} is below min {}", max.value, min.value));
        }
        (None, None) if fields.get("min").is_none() && fields.get("max").is_none() => {
            mistakes.add(fields.at, "holders needs min, max or both");
        }
        // No number is below it.
        (Some(min), None) if min.value == 0 && fields.get("max").is_none() => {
            mistakes.add(min.at, "min 0 alone demands nothing");
        }
        _ => {}
    }
    (min.map(|min| min.value), max.map(|max| max.value))
}

fn require(node: &YamlNode, demands: &mut Demands, mistakes: &mut RuleMistakes) {
    let keys = ["status", "email-verified", "login-within"];
    let Some(fields) = YamlFields::read(node, "require", &keys, mistakes) else { return };
    let status = |word: &str| STATUSES.into_iter().find(|status| *status == word);
    let statuses = "enabled, disabled, deleted or pending";
    demands.status = fields.parsed("status", statuses, mistakes, status).map(|it| it.value);
    demands.email_verified = fields.flag("email-verified", mistakes);
    let login = fields.parsed("login-within", DURATION, mistakes, RuleDuration::parse);
    demands.login_within = login.map(|login| login.value);
    if keys.iter().all(|key| fields.get(key).is_none()) {
        mistakes.add(fields.at, format!("require needs one or more of {}", keys.join(", ")));
    }
}

fn exception(
    node: &YamlNode,
    ids: &BTreeSet<String>,
    today: Date,
    mistakes: &mut RuleMistakes,
) -> Option<RuleException> {
    let fields = YamlFields::read(node, "an exception", &EXCEPTION_KEYS, mistakes)?;
    let rule = fields.required("rule", "an exception", mistakes);
    if let Some(rule) = rule.as_ref().filter(|rule| !ids.contains(&rule.value)) {
        let mut near = Suggestions::to(&rule.value);
        for id in ids {
            near.offer(id, []);
        }
        mistakes.add(rule.at, format!("no rule has the id {:?}; {near}", rule.value));
    }
    let of = match ["principal", "resource"].map(|key| fields.text(key, mistakes)) {
        [Some(_), Some(resource)] => {
            mistakes.add(resource.at, "an exception is of a principal or of a resource");
            None
        }
        [Some(principal), None] => Some(ExceptionOf::Principal(principal)),
        [None, Some(resource)] => Some(ExceptionOf::Resource(resource)),
        [None, None] => Some(ExceptionOf::Nobody),
    };
    let reason = fields.required("reason", "an exception", mistakes);
    if fields.get("until").is_none() {
        mistakes.add(fields.at, "an exception needs until: its last day");
    }
    let until = fields.parsed("until", "a day such as 2027-01-31", mistakes, day)?;
    if until.value > a_year_after(today) {
        mistakes.add(until.at, format!("until is more than a year after today, {today}"));
    }
    Some(RuleException {
        at: fields.at,
        rule: rule?.value,
        of: of?,
        reason: reason?.value,
        until: until.value,
    })
}

/// A day, with year, month and day in their full lengths.
fn day(text: &str) -> Option<Date> {
    Date::parse(text, format_description!("[year repr:full]-[month]-[day]"))
        .ok()
        .filter(|_| text.len() == "2027-01-31".len())
}

/// The same day of the next year; the first of March where there is none.
fn a_year_after(day: Date) -> Date {
    day.replace_year(day.year() + 1)
        .or_else(|_| Date::from_calendar_date(day.year() + 1, Month::March, 1))
        .unwrap_or(Date::MAX)
}

#[cfg(test)]
mod tests {
    use time::Date;
    use time::macros::date;

    use super::{RuleSet, RuleSubject, Severity, a_year_after};

    const TODAY: Date = date!(2026 - 11 - 29);

    fn parsed(text: &str) -> RuleSet {
        RuleSet::parse(text, TODAY).unwrap_or_else(|mistakes| panic!("{mistakes}"))
    }

    fn mistakes(text: &str) -> Vec<String> {
        let mistakes = RuleSet::parse(text, TODAY).unwrap_err();
        mistakes.iter().map(|it| format!("{}: {}", it.at, it.text)).collect()
    }

    /// A file with one rule.
    fn with(rule: &str) -> String {
        format!("version: 1\nrules:\n  - {rule}\n")
    }

    #[test]
    fn the_rules_of_the_manual_are_understood() {
        let rules = parsed(
            "
version: 1
max-age: 26h
rules:
  - id: owners
    role: owner
    holders: { min: 2, max: 4 }
    only: [user:ada-marlow, group:directory_group_01]
    held: through-group
    require: { status: enabled, email-verified: true, login-within: 90d }
    unknown-login: warn
    severity: error
    why: Access manual, section 4
  - id: separation
    not-together: [role:billing-ops, role:owner]
  - {id: idle, finding: idle, days: 30, severity: warning}
  - {id: every, any-role: true, only: []}
exceptions:
  - { rule: owners, principal: user:ben-okafor, reason: SEC-142 break-glass, until: 2027-01-31 }
",
        );
        let ids: Vec<_> = rules.rules.iter().map(|rule| rule.id.as_str()).collect();
        assert_eq!(ids, ["owners", "separation", "idle", "every"]);
        let RuleSubject::Holders(_, demands) = &rules.rules[0].subject else { panic!() };
        assert_eq!((demands.min, demands.max, demands.status), (Some(2), Some(4), Some("enabled")));
        assert_eq!(demands.only.as_ref().unwrap()[0].value, "user:ada-marlow");
        assert_eq!(rules.rules[0].at.to_string(), "5:5");
        assert!(matches!(rules.rules[2].subject, RuleSubject::Finding(query) if query.days == 30));
        let severities: Vec<_> = rules.rules.iter().map(|rule| rule.severity).collect();
        assert_eq!(severities[1..3], [Severity::Error, Severity::Warning]);
        assert_eq!(rules.exceptions[0].until, date!(2027 - 01 - 31));
    }

    #[test]
    fn all_mistakes_are_told_at_once_each_where_it_stands() {
        let found = mistakes(
            "
version: 2
max-age: soon
rules:
  - id: a
    role: owner
    onyl: [x]
  - id: a
    role: owner
    group: g
    held: any
  - id: b
    group: g
    held: directly
    holders: {min: 3, max: 2}
  - id: c
    role: owner
    require: {}
    unknown-login: warn
  - id: d
    finding: idel
  - id: e
    not-together: [owner]
    only: [ada]
exceptions:
  - {rule: z, reason: r, until: 2027-01}
  - {rule: a, principal: p, resource: q, until: 2029-01-01}
",
        );
        for (place, part) in [
            ("2:10", "version \"2\""),
            ("3:10", "max-age is"),
            ("7:5", "did you mean only?"),
            ("5:5", "demands nothing"),
            ("8:9", "another rule has the id \"a\""),
            ("8:5", "exactly one of"),
            ("14:5", "held is for roles"),
            ("15:28", "max 2 is below min 3"),
            ("18:14", "require needs"),
            ("19:5", "unknown-login says nothing"),
            ("21:14", "unknown finding \"idel\""),
            ("23:5", "two ids or more"),
            ("24:5", "takes no only"),
            ("26:12", "no rule has the id \"z\""),
            ("26:33", "until is a day"),
            ("27:5", "an exception needs reason"),
            ("27:39", "a principal or of a resource"),
            ("27:49", "more than a year"),
        ] {
            let is_it = |it: &String| it.starts_with(&format!("{place}: ")) && it.contains(part);
            assert!(found.iter().any(is_it), "{place} {part} not in {found:#?}");
        }
        assert_eq!(found.len(), 18, "{found:#?}");
        assert!(found.is_sorted_by_key(|it| {
            let mut place = it.split(':').map(|part| part.parse::<usize>().unwrap_or_default());
            (place.next(), place.next())
        }));
    }

    #[test]
    fn what_could_never_fail_is_a_mistake() {
        for (text, part) in [
            (String::new(), "no rules"),
            ("version: 1\n".to_owned(), "there is no rule"),
            ("version: 1\nrules: []\n".to_owned(), "there is no rule"),
            (with("{id: a, role: []}"), "needs an id"),
            (with("{id: a, role: owner}"), "demands nothing"),
            (with("{id: a, role: owner, held: any}"), "demands nothing"),
            (with("{id: a, role: owner, holders: {}}"), "holders needs"),
            (with("{id: a, role: owner, holders: {min: 0}}"), "demands nothing"),
            (with("{id: a, any-role: false, only: []}"), "true where it is there"),
            (with("{id: a, finding: login-unknown, days: 3}"), "no matter of days"),
            (with("{id: a, finding: idle, days: 0}"), "from 1"),
            (with("{id: a, finding: idle, finding: idle}"), "stands there twice"),
            (with("{id: a b, finding: idle}"), "an id is made of"),
            (with("{finding: idle}"), "a rule needs id"),
            (with("{id: a, role: owner, only: [x, x]}"), "stands there twice"),
            (with("{id: a, role: ~, only: [x]}"), "role is a text"),
            ("- a".to_owned(), "a file of rules is"),
        ] {
            let found = mistakes(&text);
            assert!(found.iter().any(|it| it.contains(part)), "{part} not in {found:?}");
        }
    }

    #[test]
    fn a_rule_of_no_subject_or_several_has_its_other_mistakes_told() {
        let demands = "only: [x, x], holders: {min: 5, max: 2}, held: up, days: 0, \
                       require: {login-within: 3w, status: dead}, unknown-login: maybe";
        let parts = ["stands there twice", "below min", "held is", "login-within is", "status is"];
        for subjects in ["", "role: owner, group: [],", "finding: nope, not-together: [a],"] {
            let found = mistakes(&with(&format!("{{id: a, {subjects} {demands}}}")));
            for part in parts.iter().chain(&["exactly one of", "unknown-login is"]) {
                assert_eq!(found.iter().filter(|it| it.contains(part)).count(), 1, "{found:?}");
            }
        }
        let found =
            mistakes(&with("{id: a, finding: nope, not-together: [a], group: [], days: 0}"));
        for part in ["unknown finding", "two ids or more", "needs an id", "from 1 to 65535"] {
            assert!(found.iter().any(|it| it.contains(part)), "{part} not in {found:?}");
        }
        let found = mistakes(&with("{id: a, finding: nope, days: 0, holders: {min: 2, max: 1}}"));
        assert_eq!(found.len(), 4, "{found:?}");
    }

    #[test]
    fn a_large_file_is_refused_and_an_exception_lasts_a_year() {
        let large = format!("{}# {}", with("{id: a, finding: idle}"), "x".repeat(1 << 20));
        assert_eq!(mistakes(&large), ["1:1: it is larger than 1 MiB"]);
        let until = |day: &str| {
            let rule = with("{id: a, finding: idle}");
            RuleSet::parse(
                &format!("{rule}exceptions: [{{rule: a, reason: r, until: {day}}}]"),
                TODAY,
            )
        };
        assert!(until("2027-11-29").is_ok() && until("2020-01-01").is_ok());
        assert!(until("2027-11-30").is_err() && until("2027-02-30").is_err());
        assert_eq!(a_year_after(date!(2028 - 02 - 29)), date!(2029 - 03 - 01));
    }
}
