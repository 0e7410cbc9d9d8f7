//! A review as a JUnit report: a case for each rule, for CI systems that show such. Valid by the
//! schema of Jenkins (`junit-10.xsd`), with what Ant's asks for besides.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use crate::baton::printable;
use crate::report::access::counted;

use super::outcome::Review;
use super::rule_finding::RuleFinding;

/// How many findings one case tells of.
const MOST_FINDINGS: usize = 500;

/// Writes a review as JUnit XML.
pub fn junit(review: &Review<'_>, mut output: impl Write) -> io::Result<()> {
    let is_failed = |place: &usize| review.of_rule(*place).iter().any(|it| review.fails(it));
    let tests = review.rules().len();
    let failures = (0..tests).filter(is_failed).count();
    // A sync that is judged has an end, and that begins with day and time.
    let ended_at = review.sync.ended_at.get(..19).unwrap_or_default().replace(' ', "T");
    let name = env!("CARGO_PKG_NAME");
    writeln!(output, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
    writeln!(
        output,
        "  <testsuite id=\"0\" package=\"{name}\" name=\"{name} review\" timestamp=\"{ended_at}\" \
         hostname=\"localhost\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"0\">"
    )?;
    writeln!(output, "    <properties>")?;
    for (name, value) in [("file", &review.sync.file), ("sync_id", &review.sync.sync_id)] {
        writeln!(output, "      <property name=\"{name}\" value=\"{}\"/>", xml(value))?;
    }
    writeln!(output, "    </properties>")?;
    let mut besides = String::new();
    for (place, rule) in review.rules().iter().enumerate() {
        let (failed, others): (Vec<_>, Vec<_>) =
            review.of_rule(place).iter().partition(|finding| review.fails(finding));
        write!(
            output,
            "    <testcase classname=\"{name}.review\" name=\"{}\" time=\"0\"",
            xml(&rule.id)
        )?;
        if failed.is_empty() {
            writeln!(output, "/>")?;
        } else {
            let count = counted(failed.len(), "finding", "findings");
            let message = match &rule.why {
                Some(why) => format!("{count}: {why}"),
                None => count,
            };
            let severity = failed[0].severity.word();
            writeln!(
                output,
                ">\n      <failure type=\"{severity}\" message=\"{}\">",
                xml(&message)
            )?;
            for line in lines(&failed) {
                writeln!(output, "{}", xml(&line))?;
            }
            writeln!(output, "      </failure>\n    </testcase>")?;
        }
        for line in lines(&others) {
            let _ = writeln!(besides, "{}: {line}", rule.id);
        }
    }
    writeln!(output, "    <system-out>")?;
    for line in besides.lines() {
        writeln!(output, "{}", xml(line))?;
    }
    writeln!(
        output,
        "    </system-out>\n    <system-err></system-err>\n  </testsuite>\n</testsuites>"
    )?;
    output.flush()
}

/// What is found, each in a line, as far as there is room.
fn lines(findings: &[&RuleFinding]) -> Vec<String> {
    let line = |finding: &&RuleFinding| {
        let word = match finding.suppressed {
            Some(_) => "suppressed",
            None => finding.severity.word(),
        };
        format!("{word}: {}", finding.message_with_note())
    };
    let mut lines: Vec<_> = findings.iter().take(MOST_FINDINGS).map(line).collect();
    let more = findings.len().saturating_sub(MOST_FINDINGS);
    if more > 0 {
        lines.push(format!("and {more} more; JSON has all"));
    }
    lines
}

/// Text in XML, as text or in an attribute.
fn xml(text: &str) -> Cow<'_, str> {
    let is_plain = |char: char| char.is_ascii_graphic() && !"&<>\"'".contains(char) || char == ' ';
    if text.chars().all(is_plain) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for char in printable(text).chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&apos;"),
            // No characters of XML.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            char => escaped.push(char),
        }
    }
    escaped.into()
}

#[cfg(test)]
mod tests {
    use super::xml;

    #[test]
    fn no_text_becomes_markup_or_what_xml_forbids() {
        assert_eq!(xml("Zoë ✈ a:b/c"), "Zoë ✈ a:b/c");
        assert_eq!(xml("<a b=\"c\" d='e'>&"), "&lt;a b=&quot;c&quot; d=&apos;e&apos;&gt;&amp;");
        assert_eq!(xml("]]>\u{0}\n\u{ffff}\u{202e}"), "]]&gt;\u{fffd}\u{fffd}\u{fffd}\u{fffd}");
    }
}
