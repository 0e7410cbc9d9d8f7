//! Access for spreadsheets and databases: one row for each grant.

use std::borrow::Cow;
use std::io::{self, Write};

use time::format_description::well_known::Rfc3339;

use super::access_report::AccessReport;
use super::error::Error;

const HEADER: [&str; 16] = [
    "principal_type",
    "principal_id",
    "principal_name",
    "email",
    "status",
    "last_login",
    "resource_type",
    "resource_id",
    "resource_name",
    "entitlement",
    "how",
    "through",
    "grant_id",
    "sync_id",
    "email_verified",
    "joined_at",
];

/// What a spreadsheet takes for the beginning of a formula, wide signs too, or for blanks
/// before one.
const FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What stands in quotation marks: all that ends a cell in anybody's reading. Where a comma is
/// the decimal sign, spreadsheets take a semicolon for the end of a cell.
const ENDS: [char; 7] = [',', ';', '\t', '|', '"', '\r', '\n'];

/// Writes the access as CSV (RFC 4180), in the file's order.
pub fn csv(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    record(&HEADER, &mut output)?;
    access.each(|row| {
        let held = row.held;
        let (principal, resource) = (&held.principal.named, &held.given.resource.named);
        let person = held.principal.person.as_ref();
        let status = person.and_then(|person| person.status.as_ref()?.word);
        let email = person.and_then(|person| person.email.as_deref());
        let login = person.and_then(|person| person.last_login?.format(&Rfc3339).ok());
        let through = held.way.through().iter().map(|given| given.id.as_str()).collect::<Vec<_>>();
        let cells: [&str; 16] = [
            &principal.resource_type,
            &principal.resource,
            &principal.display_name,
            email.unwrap_or_default(),
            status.unwrap_or_default(),
            login.as_deref().unwrap_or_default(),
            &resource.resource_type,
            &resource.resource,
            &resource.display_name,
            &held.given.slug,
            held.way.word(),
            &through.join(" "),
            row.id,
            &access.sync().sync().sync_id,
            person.and_then(|person| person.is_verified).map_or("", flag),
            person.and_then(|person| person.joined_at.as_deref()).unwrap_or_default(),
        ];
        Ok(record(&cells, &mut output)?)
    })?;
    output.flush()?;
    Ok(())
}

fn flag(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}

fn record(cells: &[&str], output: &mut impl Write) -> io::Result<()> {
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            output.write_all(b",")?;
        }
        output.write_all(quoted(&guarded(cell)).as_bytes())?;
    }
    output.write_all(b"\r\n")
}

/// A cell that ends where it ends, whoever reads it.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains(ENDS) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

/// A cell that no spreadsheet takes for a formula.
fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::{guarded, quoted};

    #[test]
    fn a_cell_that_begins_like_a_formula_gets_an_apostrophe_and_every_other_is_exact() {
        for cell in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x", "＝1", "＋1", "－1", "＠A"]
        {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for cell in ["", "a=1", " =1", "'=1", "Zoë ✈", "a\tb", "a＝1"] {
            assert_eq!(guarded(cell), cell);
        }
    }

    #[test]
    fn what_could_end_a_cell_stands_in_quotation_marks() {
        for cell in ["a;=1", "a,b", "a\t=1", "a|=1", "two\r\nlines", "two\nlines"] {
            assert_eq!(quoted(cell), format!("\"{cell}\""));
        }
        assert_eq!(quoted("say \"=1\""), "\"say \"\"=1\"\"\"");
        for cell in ["", "Ada Marlow", "a:b/c", "Zoë ✈", "'=1"] {
            assert_eq!(quoted(cell), cell);
        }
    }
}
