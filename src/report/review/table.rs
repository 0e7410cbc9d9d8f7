//! A review for people at a terminal.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

use crate::baton::{printable, printable_line};
use crate::report::access::{TableStyle, counted};

use super::outcome::Review;
use super::rule_finding::{RuleFinding, Suppression};
use super::rules::Severity;

const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const GREEN: &str = "\u{1b}[32m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// How much a finding is set in, and what belongs to it.
const INDENT: usize = 2;

/// As wide as the longest word for how bad something is, with a gap.
const WORD: usize = 9;

/// Writes a review as lines of text: each rule, and what breaks it.
pub fn table(review: &Review<'_>, style: TableStyle, mut output: impl Write) -> io::Result<()> {
    let mut lines = TableLines { style, output: &mut output };
    lines.line(&[(&format!("Review of {}", review.sync.in_words()), "")], 0)?;
    for (place, rule) in review.rules().iter().enumerate() {
        let findings = review.of_rule(place);
        let open: Vec<_> = findings.iter().filter(|it| it.is_open()).collect();
        let suppressed = findings.len() - open.len();
        let (state, tint) = match open.iter().map(|it| it.severity).max() {
            None => ("holds".to_owned(), GREEN),
            Some(severity) => (counted(open.len(), "finding", "findings"), tint(severity)),
        };
        let besides =
            if suppressed > 0 { format!(", {suppressed} suppressed") } else { String::new() };
        writeln!(lines.output)?;
        lines.line(&[(&rule.id, BOLD), ("  ", ""), (&state, tint), (&besides, DIM)], 0)?;
        if let Some(why) = &rule.why {
            lines.line(&[(&printable_line(why), DIM)], INDENT)?;
        }
        for finding in findings {
            lines.finding(finding)?;
        }
    }
    if !review.gone.is_empty() {
        writeln!(lines.output)?;
        lines.line(&[("In the baseline, and gone: write it anew", BOLD)], 0)?;
        for info in &review.gone {
            let of = info.principal.iter().chain(&info.resource).chain(&info.detail);
            let of: Vec<_> = of.map(String::as_str).collect();
            let text = format!("{} {}: {}", info.rule, info.demand, of.join(" "));
            lines.line(&[(text.trim_end_matches(": "), "")], INDENT)?;
        }
    }
    writeln!(lines.output)?;
    lines.line(&[(&review.summary(), "")], 0)?;
    output.flush()
}

fn tint(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => RED,
        Severity::Warning => YELLOW,
    }
}

/// Writes lines that fit the terminal.
struct TableLines<W> {
    style: TableStyle,
    output: W,
}

impl<W: Write> TableLines<W> {
    fn finding(&mut self, finding: &RuleFinding) -> io::Result<()> {
        let message = finding.message();
        let (word, colour, note) = match &finding.suppressed {
            None => (finding.severity.word(), tint(finding.severity), None),
            Some(Suppression::Exception { reason, until }) => {
                ("accepted", DIM, Some(format!("until {until}: {reason}")))
            }
            Some(Suppression::Baseline) => ("known", DIM, None),
        };
        let text = if finding.suppressed.is_some() { DIM } else { "" };
        self.line(&[(&format!("{word:WORD$}"), colour), (&message, text)], INDENT)?;
        match note.or_else(|| finding.note().filter(|_| finding.is_open())) {
            Some(note) => self.line(&[(&note, DIM)], INDENT + WORD),
            None => Ok(()),
        }
    }

    /// Texts beside each other, each in its colour, set in and broken between words where they
    /// are longer than the terminal is wide.
    fn line(&mut self, texts: &[(&str, &str)], indent: usize) -> io::Result<()> {
        // What follows a word for how bad something is stands below what stands beside it.
        let hanging = match texts {
            [(first, _), _] if indent == INDENT => indent + first.width(),
            _ => indent + INDENT,
        };
        write!(self.output, "{:indent$}", "")?;
        let (mut at, mut blanks) = (indent, 0);
        for (text, colour) in texts {
            let text = printable(text);
            let (start, end) =
                if self.style.colour && !colour.is_empty() { (*colour, PLAIN) } else { ("", "") };
            for word in text.split_inclusive(' ') {
                let bare = word.trim_end_matches(' ');
                let width = bare.width();
                let fits = self.style.width.is_none_or(|columns| at + blanks + width <= columns);
                if !fits && at > hanging {
                    write!(self.output, "\n{:hanging$}", "")?;
                    (at, blanks) = (hanging, 0);
                }
                // No line ends with blanks.
                if !bare.is_empty() {
                    write!(self.output, "{:blanks$}{start}{bare}{end}", "")?;
                    (at, blanks) = (at + blanks + width, 0);
                }
                blanks += word.len() - bare.len();
            }
        }
        writeln!(self.output)
    }
}
