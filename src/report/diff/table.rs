//! A diff for people at a terminal.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::baton::printable;
use crate::report::model::{ChangeLine, ChangeSign, column_width};

use super::change_lines::{left_out, sections, summary};
use super::differences::Diff;

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// The column that says how something is held.
const HOW: &str = "How";

/// The diff as lines of text, with colour if wanted; nothing where there is no earlier sync, of
/// which the log tells.
pub fn table(diff: &Diff, colour: bool) -> String {
    let Some(old) = &diff.old else { return String::new() };
    let (old, new) = (printable(&old.in_words()), printable(&diff.new.in_words()));
    let mut text = format!("From {old}\nto   {new}\n");
    for line in left_out(diff) {
        let _ = writeln!(text, "{}", printable(&line));
    }
    if diff.is_empty() {
        text.push_str("\nNo changes.\n");
        return text;
    }
    for kind in sections(diff) {
        let lines: Vec<ChangeLine> = if kind.columns.contains(&HOW) {
            kind.lines.into_iter().map(narrow).collect()
        } else {
            kind.lines
        };
        section(&mut text, kind.title, &lines, colour);
    }
    let _ = writeln!(text, "\n{}", summary(diff));
    text
}

/// A row of access without its last column: most access is direct, and what isn't has a line
/// of its own, so that rows fit a terminal.
fn narrow(mut line: ChangeLine) -> ChangeLine {
    let how = line.columns.pop().unwrap_or_default();
    let is_told = how == "direct" || line.changes.iter().any(|it| it.starts_with("held: "));
    if !is_told {
        line.changes.insert(0, how);
    }
    line
}

fn section(text: &mut String, title: &str, lines: &[ChangeLine], colour: bool) {
    let (bold, plain) = if colour { (BOLD, PLAIN) } else { ("", "") };
    let _ = writeln!(text, "\n{bold}{title}{plain}");
    let count = lines.iter().map(|line| line.columns.len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let texts = lines.iter().filter_map(|line| line.columns.get(column));
            column_width(texts.map(String::as_str))
        })
        .collect();
    for line in lines {
        let padded = line.columns.iter().zip(&widths).map(|(text, width)| {
            let padding = width.saturating_sub(text.width());
            format!("{text}{:padding$}", "")
        });
        let row = padded.collect::<Vec<_>>().join("  ");
        let tint = match line.sign {
            _ if !colour => "",
            ChangeSign::Added => GREEN,
            ChangeSign::Removed => RED,
            ChangeSign::Changed => YELLOW,
        };
        let _ = writeln!(text, "  {tint}{} {}{plain}", line.sign.mark(), row.trim_end());
        for change in &line.changes {
            let _ = writeln!(text, "      {change}");
        }
    }
}
