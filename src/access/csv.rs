//! Access for spreadsheets and databases: one row for each grant.

use std::borrow::Cow;
use std::io::Write;

use ::csv::{Terminator, WriterBuilder};
use time::format_description::well_known::Rfc3339;

use super::error::Error;
use super::reading::Access;

const HEADER: [&str; 14] = [
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
];

/// Writes the access as CSV (RFC 4180), in the file's order.
pub fn csv(access: &Access, output: impl Write) -> Result<(), Error> {
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(output);
    writer.write_record(HEADER).map_err(failed)?;
    access.each(|row| {
        let held = row.held;
        let (principal, resource) = (&held.principal.named, &held.given.resource.named);
        let person = held.principal.person.as_ref();
        let status = person.and_then(|person| person.status.as_ref()?.word);
        let email = person.and_then(|person| person.email.as_deref());
        let login = person.and_then(|person| person.last_login?.format(&Rfc3339).ok());
        let through = held.way.through().iter().map(|given| given.id.as_str()).collect::<Vec<_>>();
        let cells = [
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
        ];
        writer.write_record(cells.map(guarded).iter().map(|cell| cell.as_bytes())).map_err(failed)
    })?;
    writer.flush()?;
    Ok(())
}

/// A cell that no spreadsheet takes for a formula.
fn guarded(cell: &str) -> Cow<'_, str> {
    match cell.as_bytes().first() {
        Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r') => format!("'{cell}").into(),
        _ => cell.into(),
    }
}

fn failed(error: ::csv::Error) -> Error {
    Error::Output(error.into())
}

#[cfg(test)]
mod tests {
    use super::guarded;

    #[test]
    fn a_cell_that_begins_like_a_formula_gets_an_apostrophe_and_every_other_is_exact() {
        for cell in ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"] {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for cell in ["", "a=1", " =1", "'=1", "Zoë ✈", "\nx", "a\tb"] {
            assert_eq!(guarded(cell), cell);
        }
    }
}
