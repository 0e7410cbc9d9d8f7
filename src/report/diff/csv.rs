//! A diff for spreadsheets: one row for each row that came or went, and for each fact that changed.

use std::io::{self, Write};

use crate::report::model::{EntitlementRef, ResourceRef, csv_record};

use super::differences::{
    AttributeChange, Diff, DiffGrant, ModifiedRow, RowChanges, path_in_words,
};

const HEADER: [&str; 16] = [
    "change",
    "kind",
    "principal_type",
    "principal_id",
    "principal_name",
    "email",
    "resource_type",
    "resource_id",
    "resource_name",
    "entitlement",
    "how",
    "fact",
    "old",
    "new",
    "old_sync_id",
    "new_sync_id",
];

/// What a row is about, as cells.
#[derive(Default)]
struct RowCells<'row> {
    kind: &'static str,
    principal: Option<&'row ResourceRef>,
    email: Option<&'row str>,
    resource: Option<&'row ResourceRef>,
    entitlement: Option<&'row str>,
    how: String,
}

/// Writes the changes as CSV; the header alone where nothing changed.
pub fn csv(diff: &Diff, mut output: impl Write) -> io::Result<()> {
    csv_record(&HEADER, &mut output)?;
    let mut writer = CsvWriter { diff, output };
    // A person is in the columns of who holds something, wherever the address is known.
    writer.rows(&diff.resources, |row: &ResourceRef| {
        let email = diff.email(row);
        match email {
            Some(_) => {
                RowCells { kind: "resource", principal: Some(row), email, ..RowCells::default() }
            }
            None => RowCells { kind: "resource", resource: Some(row), ..RowCells::default() },
        }
    })?;
    writer.rows(&diff.entitlements, |row: &EntitlementRef| RowCells {
        kind: "entitlement",
        resource: Some(&row.resource),
        entitlement: Some(&row.slug),
        ..RowCells::default()
    })?;
    writer.rows(&diff.grants, |row: &DiffGrant| RowCells {
        kind: "grant",
        principal: Some(&row.principal),
        email: diff.email(&row.principal),
        resource: Some(&row.entitlement.resource),
        entitlement: Some(&row.entitlement.slug),
        how: path_in_words(row, str::to_owned),
    })?;
    writer.output.flush()
}

struct CsvWriter<'diff, W> {
    diff: &'diff Diff,
    output: W,
}

impl<W: Write> CsvWriter<'_, W> {
    fn rows<'row, T>(
        &mut self,
        changes: &'row RowChanges<T>,
        cells: impl Fn(&'row T) -> RowCells<'row>,
    ) -> io::Result<()> {
        for row in &changes.created {
            self.row("added", &cells(row), None)?;
        }
        for row in &changes.deleted {
            self.row("removed", &cells(row), None)?;
        }
        for ModifiedRow { row, changes } in &changes.modified {
            let cells = cells(row);
            if changes.is_empty() {
                self.row("changed", &cells, None)?;
            }
            for change in changes {
                self.row("changed", &cells, Some(change))?;
            }
        }
        Ok(())
    }

    fn row(
        &mut self,
        word: &str,
        cells: &RowCells<'_>,
        change: Option<&AttributeChange>,
    ) -> io::Result<()> {
        let of = |row: Option<&ResourceRef>| {
            let cell = |text: fn(&ResourceRef) -> &String| row.map(text).cloned();
            [
                cell(|row| &row.resource_type),
                cell(|row| &row.resource),
                cell(|row| &row.display_name),
            ]
            .map(Option::unwrap_or_default)
        };
        let (principal, resource) = (of(cells.principal), of(cells.resource));
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        let old_sync = self.diff.old.as_ref().map(|old| &old.sync_id);
        let record: [&str; 16] = [
            word,
            cells.kind,
            &principal[0],
            &principal[1],
            &principal[2],
            cells.email.unwrap_or_default(),
            &resource[0],
            &resource[1],
            &resource[2],
            cells.entitlement.unwrap_or_default(),
            &cells.how,
            change.map_or("", |change| &change.fact),
            &text(change.and_then(|change| change.old.as_ref())),
            &text(change.and_then(|change| change.new.as_ref())),
            &text(old_sync),
            &self.diff.new.sync_id,
        ];
        csv_record(&record, &mut self.output)
    }
}
