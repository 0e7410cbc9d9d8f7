//! A review for pages that render Markdown, such as the summary of a CI job.

use std::io::{self, Write};

use crate::report::model::escape;

use super::outcome::Review;
use super::rule_finding::RuleFinding;

/// How many findings one table has: a job's summary has room for 1 MiB.
const MOST_FINDINGS: usize = 500;

/// Writes a review as Markdown: the rules, what breaks them, and what is accepted or known.
pub fn markdown(review: &Review<'_>, mut output: impl Write) -> io::Result<()> {
    writeln!(output, "### Access review\n\n{}\n", escape(&review.sync.in_words()))?;
    writeln!(output, "{}\n", escape(&review.summary()))?;
    writeln!(output, "| Rule | Severity | Findings | Suppressed | Why |\n|---|---|---|---|---|")?;
    for (place, rule) in review.rules().iter().enumerate() {
        let findings = review.of_rule(place);
        let open = findings.iter().filter(|finding| finding.is_open()).count();
        let (id, severity) = (escape(&rule.id), rule.severity.word());
        let why = escape(rule.why.as_deref().unwrap_or_default());
        let suppressed = findings.len() - open;
        writeln!(output, "| {id} | {severity} | {open} | {suppressed} | {why} |")?;
    }
    let (open, suppressed): (Vec<_>, Vec<_>) =
        review.findings.iter().partition(|finding| finding.is_open());
    findings(review, "Findings", &open, &mut output)?;
    findings(review, "Accepted or known", &suppressed, &mut output)?;
    if !review.gone.is_empty() {
        let count = review.gone.len();
        writeln!(output, "\nOf the baseline, {count} are gone: write it anew.")?;
    }
    output.flush()
}

fn findings(
    review: &Review<'_>,
    title: &str,
    findings: &[&RuleFinding],
    output: &mut impl Write,
) -> io::Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    writeln!(output, "\n#### {title}\n\n| | Rule | What | Note |\n|---|---|---|---|")?;
    for finding in findings.iter().take(MOST_FINDINGS) {
        let (severity, id) = (finding.severity.word(), escape(&review.rule_of(finding).id));
        let (message, note) =
            (escape(&finding.message()), escape(&finding.note().unwrap_or_default()));
        writeln!(output, "| {severity} | {id} | {message} | {note} |")?;
    }
    let more = findings.len().saturating_sub(MOST_FINDINGS);
    if more > 0 {
        writeln!(output, "\nand {more} more; JSON has all")?;
    }
    Ok(())
}
