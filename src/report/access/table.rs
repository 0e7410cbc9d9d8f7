//! Access for people at a terminal.

use std::io::Write;

use unicode_width::UnicodeWidthStr;

use crate::baton::{printable, printable_line};
use crate::report::findings::{FindingList, findings_of_secrets};
use crate::report::model::column_width;

use super::access_report::AccessReport;
use super::error::Error;
use super::grant_info::GrantInfo;
use super::grouped::{AccessGroup, GroupedAccess};
use super::labels::{facts, is_enabled, label_with_id, slug, what};

const YELLOW: &str = "\u{1b}[33m";
const BOLD: &str = "\u{1b}[1m";
const DIM: &str = "\u{1b}[2m";
const PLAIN: &str = "\u{1b}[0m";

/// How much is set in from the left.
const INDENT: usize = 2;

/// Between two columns.
const GAP: usize = 2;

/// What a terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableStyle {
    /// Whether it has colours, and they are wanted.
    pub colour: bool,
    /// Its columns; `None` where lines may be of any length.
    pub width: Option<usize>,
}

/// Writes the access as lines of text: by person, or by what is held if only that was asked
/// for.
pub fn table(access: &AccessReport, look: TableStyle, mut output: impl Write) -> Result<(), Error> {
    let label = access.label();
    writeln!(output, "Access in {}", printable(&label.in_words()))?;
    if let Some(part) = &access.sync().sync().reduced_to {
        writeln!(output, "The sync doesn't cover everything: {}", printable(part))?;
    }
    let listing = GroupedAccess::new(access)?;
    for part in &listing.parts {
        writeln!(output)?;
        head(&listing, part, look, &mut output)?;
        rows(&listing, part, look, &mut output)?;
    }
    for list in findings_of_secrets(access)? {
        findings(&list, look, &mut output)?;
    }
    writeln!(output, "\n{}", printable(&listing.summary()))?;
    output.flush()?;
    Ok(())
}

/// Something that is worth a look, and where it was found.
fn findings(list: &FindingList, look: TableStyle, output: &mut impl Write) -> Result<(), Error> {
    let (bold, plain) = if look.colour { (BOLD, PLAIN) } else { ("", "") };
    writeln!(output, "\n{bold}{}{plain}", list.query.title())?;
    let lines = list.places.iter().map(|place| {
        (printable_line(&label_with_id(&place.of, true)), printable(&place.note.in_words()))
    });
    columns(&lines.collect::<Vec<_>>(), look, output)
}

/// Who it is, and what there is to know of the account.
fn head(
    listing: &GroupedAccess,
    part: &AccessGroup,
    look: TableStyle,
    output: &mut impl Write,
) -> Result<(), Error> {
    let name = printable_line(&label_with_id(&part.of, !listing.by_person));
    let facts = facts(&part.of);
    let facts: Vec<_> = facts.iter().map(|fact| printable(fact)).collect();
    let line = facts.join(" · ");
    let fits = look.fits(name.width() + GAP + line.width());
    let (bold, dim, yellow, plain) =
        if look.colour { (BOLD, DIM, YELLOW, PLAIN) } else { ("", "", "", "") };
    let is_enabled = part.of.person.as_ref().is_none_or(is_enabled);
    let tint = if is_enabled { dim } else { yellow };
    write!(output, "{bold}{name}{plain}")?;
    match &facts[..] {
        [] => writeln!(output)?,
        _ if fits => writeln!(output, "{:GAP$}{tint}{line}{plain}", "")?,
        _ => {
            writeln!(output)?;
            let mut lines: Vec<String> = Vec::new();
            for fact in facts {
                match lines.last_mut() {
                    Some(line) if look.fits(INDENT + line.width() + 3 + fact.width()) => {
                        line.push_str(" · ");
                        line.push_str(&fact);
                    }
                    _ => lines.push(fact),
                }
            }
            for line in lines {
                writeln!(output, "{:INDENT$}{tint}{line}{plain}", "")?;
            }
        }
    }
    Ok(())
}

/// What is held and how, or who holds it.
fn rows(
    listing: &GroupedAccess,
    part: &AccessGroup,
    look: TableStyle,
    output: &mut impl Write,
) -> Result<(), Error> {
    if part.grants.is_empty() {
        let none = if listing.by_person { "holds nothing" } else { "nobody holds it" };
        writeln!(output, "{:INDENT$}{}", "", printable(&listing.narrowed(none)))?;
    }
    let first = |grant: &GrantInfo| {
        printable(&if listing.by_person {
            what(grant)
        } else {
            let slug = slug(grant).map(|slug| format!(": {slug}")).unwrap_or_default();
            format!("{}{slug}", label_with_id(&grant.principal, true))
        })
    };
    let lines = part.grants.iter();
    let lines = lines.map(|grant| (first(grant), printable(&grant.path.in_words())));
    columns(&lines.collect::<Vec<_>>(), look, output)
}

/// Pairs of texts, the second ones below each other, if there are any.
fn columns(
    lines: &[(String, String)],
    look: TableStyle,
    output: &mut impl Write,
) -> Result<(), Error> {
    // Ways stand below each other, but for those after a name that is too long for that.
    let longest = lines.iter().map(|(_, how)| how.width()).max().unwrap_or_default();
    let in_line = |first: &&str| look.fits(INDENT + first.width() + GAP + longest);
    let firsts = lines.iter().map(|(first, _)| first.as_str());
    let width = column_width(firsts.filter(in_line));
    for (first, how) in lines {
        let padding = width.saturating_sub(first.width());
        if how.is_empty() {
            writeln!(output, "{:INDENT$}{first}", "")?;
        } else if look.fits(INDENT + first.width() + padding + GAP + how.width()) {
            writeln!(output, "{:INDENT$}{first}{:padding$}{:GAP$}{how}", "", "", "")?;
        } else {
            writeln!(output, "{:INDENT$}{first}\n{:indent$}{how}", "", "", indent = 3 * INDENT)?;
        }
    }
    Ok(())
}

impl TableStyle {
    fn fits(self, width: usize) -> bool {
        self.width.is_none_or(|columns| width <= columns)
    }
}
