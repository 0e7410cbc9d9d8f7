//! Access for pages that render Markdown, such as the summary of a CI job.

use std::io::Write;

use crate::report::model::{ResourceInfo, escape};

use super::access_report::AccessReport;
use super::error::Error;
use super::grouped::GroupedAccess;
use super::labels::{day, named, purpose, what};

/// Writes the access as Markdown: a table with one row for each grant.
pub fn markdown(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    let label = access.label();
    let listing = GroupedAccess::new(access)?;
    writeln!(output, "### Access\n\n{}\n", escape(&label.place()))?;
    if let Some(part) = &access.sync().sync().reduced_to {
        writeln!(output, "The sync doesn't cover everything: {}\n", escape(part))?;
    }
    let mut purposes = false;
    for part in listing.parts.iter().filter(|_| !listing.by_person) {
        let purpose = purpose(&part.of).join(" · ");
        if !purpose.is_empty() {
            writeln!(output, "- {}: {}", escape(&named(&part.of, true)), escape(&purpose))?;
            purposes = true;
        }
    }
    if purposes {
        writeln!(output)?;
    }
    if !listing.parts.is_empty() {
        writeln!(
            output,
            "| Who | Status | Last login (UTC) | What | How |\n|---|---|---|---|---|"
        )?;
    }
    for part in &listing.parts {
        for held in &part.held {
            let (status, login) = account(&held.principal);
            row(
                &[named(&held.principal, true), status, login, what(held), held.way.in_words()],
                &mut output,
            )?;
        }
        if part.held.is_empty() && listing.by_person {
            let (status, login) = account(&part.of);
            row(
                &[named(&part.of, true), status, login, listing.narrowed("nothing"), String::new()],
                &mut output,
            )?;
        } else if part.held.is_empty() {
            let what = named(&part.of, true);
            row(
                &[listing.narrowed("nobody"), String::new(), String::new(), what, String::new()],
                &mut output,
            )?;
        }
    }
    writeln!(output, "\n{}", escape(&listing.summary()))?;
    output.flush()?;
    Ok(())
}

/// Status and last login.
fn account(known: &ResourceInfo) -> (String, String) {
    let Some(person) = &known.person else { return ("not in the file".into(), String::new()) };
    let status = person.status.as_ref().map(ToString::to_string).unwrap_or_default();
    (status, person.last_login.map(day).unwrap_or_default())
}

fn row(cells: &[String], output: &mut impl Write) -> Result<(), Error> {
    let cells: Vec<_> = cells.iter().map(|cell| escape(cell)).collect();
    writeln!(output, "| {} |", cells.join(" | "))?;
    Ok(())
}
