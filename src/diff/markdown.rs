//! A diff for pages that render Markdown, such as the summary of a CI job.

use std::fmt::Write as _;

use crate::facts::{Section, escape};

use super::differences::Diff;
use super::line::{changes, summary, sync};

/// The diff as Markdown.
pub fn markdown(diff: &Diff) -> String {
    let mut text = format!(
        "### Access changes\n\nFrom {} to {}.\n",
        escape(&sync(&diff.old)),
        escape(&sync(&diff.new))
    );
    if diff.is_empty() {
        text.push_str("\nNo changes.\n");
        return text;
    }
    let _ = writeln!(text, "\n{}", summary(diff));
    for kind in changes(diff).sections {
        section(&mut text, &kind);
    }
    text
}

fn section(text: &mut String, kind: &Section) {
    let _ = writeln!(text, "\n#### {}\n\n| | {} | Changes |", kind.title, kind.columns.join(" | "));
    let _ = writeln!(text, "|---|{}---|", "---|".repeat(kind.columns.len()));
    for line in &kind.lines {
        let cells: Vec<_> = line.columns.iter().map(|cell| escape(cell)).collect();
        let changes: Vec<_> = line.changes.iter().map(|change| escape(change)).collect();
        let (sign, cells) = (line.sign.word(), cells.join(" | "));
        let _ = writeln!(text, "| {sign} | {cells} | {} |", changes.join("<br>"));
    }
}
