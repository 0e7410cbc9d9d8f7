//! A review as annotations of a GitHub workflow: commands in a job's log.

use std::io::{self, Write};

use crate::baton::printable;

use super::outcome::Review;
use super::rules::Severity;

/// How many errors, how many warnings and how many notices GitHub keeps of one step.
const MOST_ANNOTATIONS: usize = 10;

/// Writes findings as annotations of the rules in `rules_file`: a path relative to the
/// repository. What is suppressed is a notice. What GitHub would drop is counted instead.
pub fn github(review: &Review<'_>, rules_file: &str, mut output: impl Write) -> io::Result<()> {
    let of = |severity| review.open().filter(move |it| it.severity == severity).collect();
    let suppressed = review.findings.iter().filter(|finding| !finding.is_open()).collect();
    let lists: [(_, _, Vec<_>); 3] = [
        ("error", "of severity error", of(Severity::Error)),
        ("warning", "of severity warning", of(Severity::Warning)),
        ("notice", "that are suppressed", suppressed),
    ];
    for (word, what, findings) in lists {
        // The last place is for what has none.
        let most = match findings.len() {
            0..=MOST_ANNOTATIONS => MOST_ANNOTATIONS,
            _ => MOST_ANNOTATIONS - 1,
        };
        for finding in findings.iter().take(most) {
            let rule = review.rule_of(finding);
            let (file, title) = (property(rules_file), property(&rule.id));
            let (line, column) = (rule.at.line, rule.at.column);
            let message = message(&finding.message_with_note());
            writeln!(
                output,
                "::{word} file={file},line={line},col={column},title={title}::{message}"
            )?;
        }
        let more = findings.len().saturating_sub(most);
        if more > 0 {
            writeln!(output, "::{word} title=review::{more} more findings {what}")?;
        }
    }
    output.flush()
}

/// A message, of which no part is taken for a command.
fn message(text: &str) -> String {
    printable(text).replace('%', "%25")
}

/// A property's value.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::{message, property};

    #[test]
    fn no_text_begins_a_command_of_its_own() {
        assert_eq!(message("a\r\n::error::b % c"), "a\u{fffd}\u{fffd}::error::b %25 c");
        assert_eq!(property("a:b,c%"), "a%3Ab%2Cc%25");
    }
}
