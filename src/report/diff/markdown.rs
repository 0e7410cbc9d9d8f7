//! A diff for pages that render Markdown, such as the summary of a CI job.

use std::fmt::Write as _;

use crate::report::model::{ChangeSection, escape};

use super::change_lines::{left_out, sections, summary};
use super::differences::Diff;

/// The diff as Markdown.
pub fn markdown(diff: &Diff) -> String {
    let new = escape(&diff.new.in_words());
    let mut text = "### Access changes\n\n".to_owned();
    let Some(old) = &diff.old else {
        let _ = writeln!(text, "There is no earlier sync to compare {new} with yet.");
        return text;
    };
    let _ = writeln!(text, "From {} to {new}.", escape(&old.in_words()));
    for line in left_out(diff) {
        let _ = writeln!(text, "\n{}", escape(&line));
    }
    if diff.is_empty() {
        text.push_str("\nNo changes.\n");
        return text;
    }
    let _ = writeln!(text, "\n{}", summary(diff));
    for kind in sections(diff) {
        section(&mut text, &kind);
    }
    text
}

fn section(text: &mut String, kind: &ChangeSection) {
    let _ = writeln!(text, "\n#### {}\n\n| | {} | Changes |", kind.title, kind.columns.join(" | "));
    let _ = writeln!(text, "|---|{}---|", "---|".repeat(kind.columns.len()));
    for line in &kind.lines {
        let cells: Vec<_> = line.columns.iter().map(|cell| escape(cell)).collect();
        let changes: Vec<_> = line.changes.iter().map(|change| escape(change)).collect();
        let (sign, cells) = (line.sign.word(), cells.join(" | "));
        let _ = writeln!(text, "| {sign} | {cells} | {} |", changes.join("<br>"));
    }
}
