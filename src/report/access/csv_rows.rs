//! Access for spreadsheets and databases by person and by resource: one row for each, also for
//! those who hold nothing and for what nobody holds.

use std::collections::BTreeMap;
use std::io::Write;

use time::format_description::well_known::Rfc3339;

use crate::baton::find;
use crate::baton::v2::{Resource, UserTrait};
use crate::report::model::{AccountInfo, ResourceRef, csv_record};

use super::access_report::AccessReport;
use super::csv::flag;
use super::error::Error;

/// What one row of CSV is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CsvRows {
    Grants,
    /// A person, or another account.
    People,
    /// What is held: a role, a group.
    Resources,
}

const PEOPLE: [&str; 10] = [
    "principal_type",
    "principal_id",
    "principal_name",
    "emails",
    "email_verified",
    "status",
    "last_login",
    "joined_at",
    "held",
    "sync_id",
];

const RESOURCES: [&str; 6] =
    ["resource_type", "resource_id", "resource_name", "description", "holders", "sync_id"];

/// How many grants there are of each, by type and id.
type GrantCounts = BTreeMap<(String, String), (ResourceRef, u64)>;

/// Writes one row for each person who was asked for, or else for everybody.
pub fn csv_people(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    let mut held = counts(access, true)?;
    let sync_id = &access.sync().sync().sync_id;
    csv_record(&PEOPLE, &mut output)?;
    let mut write = |reference: &ResourceRef, account: &AccountInfo, emails: &str, held: u64| {
        let status = account.status.as_ref().and_then(|status| status.word);
        let login = account.last_login.and_then(|time| time.format(&Rfc3339).ok());
        let cells: [&str; 10] = [
            &reference.resource_type,
            &reference.resource,
            &reference.display_name,
            emails,
            account.is_verified.map_or("", flag),
            status.unwrap_or_default(),
            login.as_deref().unwrap_or_default(),
            account.joined_at.as_deref().unwrap_or_default(),
            &held.to_string(),
            sync_id,
        ];
        csv_record(&cells, &mut output)
    };
    access.each_resource(|info, resource| {
        let reference = &info.reference;
        if access.traits().of(&reference.resource_type).user {
            let count = held.remove(&reference.type_and_id()).map_or(0, |(_, count)| count);
            let account = info.person.clone().unwrap_or_default();
            write(reference, &account, &emails(resource, &account), count)?;
        }
        Ok(())
    })?;
    // Who holds something without a row of their own.
    for (reference, count) in held.into_values() {
        if access.traits().of(&reference.resource_type).user && access.is_everything() {
            write(&reference, &AccountInfo::default(), "", count)?;
        }
    }
    output.flush()?;
    Ok(())
}

/// Writes one row for each role and group that was asked for, or else for all.
pub fn csv_resources(access: &AccessReport, mut output: impl Write) -> Result<(), Error> {
    let held = counts(access, false)?;
    let sync_id = &access.sync().sync().sync_id;
    csv_record(&RESOURCES, &mut output)?;
    access.each_resource(|info, _| {
        let reference = &info.reference;
        let traits = access.traits().of(&reference.resource_type);
        if traits.role || traits.group {
            let holders =
                held.get(&reference.type_and_id()).map_or(0, |(_, count)| *count).to_string();
            let cells: [&str; 6] = [
                &reference.resource_type,
                &reference.resource,
                &reference.display_name,
                &info.description,
                &holders,
                sync_id,
            ];
            csv_record(&cells, &mut output)?;
        }
        Ok(())
    })?;
    output.flush()?;
    Ok(())
}

/// How many grants each holds, or else how many there are of each.
fn counts(access: &AccessReport, by_principal: bool) -> Result<GrantCounts, Error> {
    let mut counts = GrantCounts::new();
    access.each_grant(|row| {
        let info =
            if by_principal { &row.grant.principal } else { &row.grant.entitlement.resource };
        let reference = &info.reference;
        counts.entry(reference.type_and_id()).or_insert_with(|| (reference.clone(), 0)).1 += 1;
        Ok(())
    })?;
    Ok(counts)
}

/// All addresses, the one that is told elsewhere first.
fn emails(resource: Option<&Resource>, account: &AccountInfo) -> String {
    let user: Option<UserTrait> = resource.and_then(|resource| find(&resource.annotations));
    let all = user.into_iter().flat_map(|user| user.emails).map(|email| email.address);
    let mut emails: Vec<String> = account.email.iter().cloned().collect();
    for address in all.filter(|address| !address.is_empty()) {
        if !emails.contains(&address) {
            emails.push(address);
        }
    }
    emails.join(" ")
}
