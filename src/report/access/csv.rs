//! Access for spreadsheets and databases: one row for each grant.

use std::io::Write;

use time::format_description::well_known::Rfc3339;

use crate::report::model::csv_record;

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

/// Writes the access as CSV (RFC 4180), in the file's order.
pub fn csv(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    csv_record(&HEADER, &mut output)?;
    access.each_grant(|row| {
        let grant = row.grant;
        let (principal, resource) =
            (&grant.principal.reference, &grant.entitlement.resource.reference);
        let person = grant.principal.person.as_ref();
        let status = person.and_then(|person| person.status.as_ref()?.word);
        let email = person.and_then(|person| person.email.as_deref());
        let login = person.and_then(|person| person.last_login?.format(&Rfc3339).ok());
        let through = grant
            .path
            .through()
            .iter()
            .map(|entitlement| entitlement.id.as_str())
            .collect::<Vec<_>>();
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
            &grant.entitlement.slug,
            grant.path.word(),
            &through.join(" "),
            row.id,
            &access.sync().sync().sync_id,
            person.and_then(|person| person.is_verified).map_or("", flag),
            person.and_then(|person| person.joined_at.as_deref()).unwrap_or_default(),
        ];
        Ok(csv_record(&cells, &mut output)?)
    })?;
    output.flush()?;
    Ok(())
}

pub(super) fn flag(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}
