//! Access for pages that render Markdown, such as the summary of a CI job.

use std::io::Write;

use crate::report::findings::findings_of_secrets;
use crate::report::model::{ResourceInfo, escape};

use super::access_report::AccessReport;
use super::error::Error;
use super::grouped::GroupedAccess;
use super::labels::{day, label_with_id, purpose, standing, what};

/// Writes the access as Markdown: a table with one row for each grant.
pub fn markdown(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    let label = access.label();
    let listing = GroupedAccess::new(access)?;
    writeln!(output, "### Access\n\n{}\n", escape(&label.in_words()))?;
    if let Some(part) = &access.sync().sync().reduced_to {
        writeln!(output, "The sync doesn't cover everything: {}\n", escape(part))?;
    }
    let mut purposes = false;
    for part in listing.parts.iter().filter(|_| !listing.by_person) {
        let purpose = purpose(&part.of).join(" · ");
        if !purpose.is_empty() {
            writeln!(output, "- {}: {}", escape(&label_with_id(&part.of, true)), escape(&purpose))?;
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
        for grant in &part.grants {
            let (status, login) = account(&grant.principal);
            row(
                &[
                    label_with_id(&grant.principal, true),
                    status,
                    login,
                    what(grant),
                    grant.path.in_words(),
                ],
                &mut output,
            )?;
        }
        if part.grants.is_empty() && listing.by_person {
            let (status, login) = account(&part.of);
            row(
                &[
                    label_with_id(&part.of, true),
                    status,
                    login,
                    listing.narrowed("nothing"),
                    String::new(),
                ],
                &mut output,
            )?;
        } else if part.grants.is_empty() {
            let what = label_with_id(&part.of, true);
            row(
                &[listing.narrowed("nobody"), String::new(), String::new(), what, String::new()],
                &mut output,
            )?;
        }
    }
    for list in findings_of_secrets(access)? {
        writeln!(output, "\n#### {}\n\n| What | Note |\n|---|---|", list.query.title())?;
        for place in &list.places {
            row(&[label_with_id(&place.of, true), place.note.in_words()], &mut output)?;
        }
    }
    writeln!(output, "\n{}", escape(&listing.summary()))?;
    output.flush()?;
    Ok(())
}

/// Status and last login.
fn account(info: &ResourceInfo) -> (String, String) {
    let Some(person) = &info.person else { return ("not in the file".into(), String::new()) };
    let status = standing(person).collect::<Vec<_>>().join(", ");
    (status, person.last_login.map(day).unwrap_or_default())
}

fn row(cells: &[String], output: &mut impl Write) -> Result<(), Error> {
    let cells: Vec<_> = cells.iter().map(|cell| escape(cell)).collect();
    writeln!(output, "| {} |", cells.join(" | "))?;
    Ok(())
}
