//! A review in SARIF 2.1.0, for tools that gather what others find.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::baton::{printable, shorten};
use crate::report::model;

use super::outcome::Review;
use super::rule_finding::{RuleFinding, Suppression};
use super::rules::Severity;

/// How many results GitHub's code scanning shows of one file.
pub const MOST_CODE_SCANNING_RESULTS: usize = 5_000;

/// How long a rule's description may be for GitHub's code scanning. Its help may be longer.
const LONGEST_DESCRIPTION: usize = 1_024;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// Writes a review as SARIF, located at the rules in `rules_file`: a path relative to the
/// repository, with slashes. What is suppressed stands in it as that.
pub fn sarif(review: &Review<'_>, rules_file: &str, output: impl Write) -> io::Result<()> {
    let results = review.findings.iter().map(|it| with_suppressions(review, it, rules_file));
    write(review, &results.collect::<Vec<_>>(), &[], output)
}

/// The same for GitHub's code scanning, which shows suppressed results as open and cuts long
/// lists: without what is suppressed, errors first, and no more than it shows. What is left out
/// is told in it.
pub fn code_scanning(review: &Review<'_>, rules_file: &str, output: impl Write) -> io::Result<()> {
    let mut open: Vec<_> = review.open().collect();
    open.sort_by_key(|finding| finding.severity != Severity::Error);
    let more = open.len().saturating_sub(MOST_CODE_SCANNING_RESULTS);
    let results = open.into_iter().take(MOST_CODE_SCANNING_RESULTS);
    let results = results.map(|finding| result(review, finding, rules_file));
    let mut told = Vec::new();
    if more > 0 {
        let text = format!("{more} more results are left out; JSON has all");
        told.push(json!({"level": "warning", "message": {"text": text}}));
    }
    write(review, &results.collect::<Vec<_>>(), &told, output)
}

fn write(
    review: &Review<'_>,
    results: &[Value],
    notifications: &[Value],
    mut output: impl Write,
) -> io::Result<()> {
    let rules: Vec<_> = review
        .rules()
        .iter()
        .map(|rule| {
            let why = rule.why.as_deref().unwrap_or("A rule of who may have access to what");
            json!({
                "id": rule.id,
                "shortDescription": {"text": format!("Access breaks the rule {}", rule.id)},
                "fullDescription": {"text": shorten(&text(why), LONGEST_DESCRIPTION)},
                "help": {"text": text(why)},
                "defaultConfiguration": {"level": rule.severity.word()},
            })
        })
        .collect();
    let document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "invocations": [{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications,
            }],
            "results": results,
        }],
    });
    model::json(&document, &mut output)?;
    output.flush()
}

fn result(review: &Review<'_>, finding: &RuleFinding, rules_file: &str) -> Value {
    let rule = review.rule_of(finding);
    let (line, column) = (rule.at.line, rule.at.column);
    // Suppressions have a place of their own.
    let note = finding.note().filter(|_| finding.is_open());
    let note = note.map(|note| format!("; {note}")).unwrap_or_default();
    json!({
        "ruleId": rule.id,
        "ruleIndex": finding.rule,
        "level": finding.severity.word(),
        "message": {"text": text(&(finding.message_with_ids() + &note))},
        "locations": [{"physicalLocation": {
            "artifactLocation": {"uri": uri(rules_file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": line, "startColumn": column},
        }}],
        "partialFingerprints": {"primaryLocationLineHash": review.fingerprint(finding)},
    })
}

fn with_suppressions(review: &Review<'_>, finding: &RuleFinding, rules_file: &str) -> Value {
    let mut result = result(review, finding, rules_file);
    result["suppressions"] = match &finding.suppressed {
        None => json!([]),
        Some(Suppression::Exception { reason, until }) => json!([{
            "kind": "external",
            "status": "accepted",
            "justification": text(&format!("until {until}: {reason}")),
        }]),
        Some(Suppression::Baseline) => json!([{
            "kind": "external",
            "status": "accepted",
            "justification": "known: it is in the baseline",
        }]),
    };
    result
}

/// A text in which nothing is a link, a placeholder or an address of somebody's: whoever may see
/// results need not see those.
fn text(text: &str) -> String {
    without_addresses(&printable(text)).replace(['[', '{'], "(").replace([']', '}'], ")")
}

/// A text with a sign in place of where each address is, whatever parts addresses.
fn without_addresses(text: &str) -> String {
    // What can't be before the sign of an address: `api-token:@organization/ci` is none.
    let is_local = |char: char| !char.is_whitespace() && !"()<>[]:;,\\".contains(char);
    let mut parts = text.split('@');
    let mut masked = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_address = masked.ends_with(is_local);
        let rest =
            part.trim_start_matches(|char: char| char.is_alphanumeric() || ".-_".contains(char));
        masked.push('@');
        if is_address && rest.len() < part.len() {
            masked.push('…');
            masked.push_str(rest);
        } else {
            masked.push_str(part);
        }
    }
    masked
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    use std::fmt::Write as _;
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

#[cfg(test)]
mod tests {
    use super::{text, uri};

    #[test]
    fn a_text_links_nowhere_and_has_no_address() {
        assert_eq!(text("[x](y) {0} \u{1b}"), "(x)(y) (0) \u{fffd}");
        assert_eq!(text("user:ada@x.test (ada.b@y.test), z"), "user:ada@… (ada.b@…), z");
        assert_eq!(text("@ops a@ b"), "@ops a@ b");
        assert_eq!(text("a@x.test,b@y.test;<c@z.test>/d@q.test"), "a@…,b@…;<c@…>/d@…");
        assert_eq!(text("a@b@x.test {e}@x.test"), "a@…@… (e)@…");
        assert_eq!(text("api-token:@organization/ci"), "api-token:@organization/ci");
    }

    #[test]
    fn a_path_is_a_reference() {
        assert_eq!(uri("rules/access.yaml"), "rules/access.yaml");
        assert_eq!(uri("a b/é:%.yaml"), "a%20b/%C3%A9%3A%25.yaml");
    }
}
