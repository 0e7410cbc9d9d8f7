//! Changes as lines, which every format shows in its own way.

use std::collections::HashSet;

use crate::baton::printable;
use crate::report::model::{
    ChangeLine, ChangeSection, ChangeSign, EntitlementRef, IN_RESTRICTIONS, RESTRICTIONS,
    ResourceRef, SyncLabel, by_code_point, confusable_skeleton, isolated,
};

use super::differences::{
    AttributeChange, Diff, DiffGrant, ModifiedRow, RowChanges, path_in_words,
};

/// How a text of the file's is shown among others.
type TextStyle = fn(&str) -> String;

/// What changed, as lines; kinds of which nothing changed are left out.
pub fn sections(diff: &Diff) -> Vec<ChangeSection> {
    sections_with(diff, printable)
}

/// The same for a page, where no name may turn around what stands beside it.
pub fn isolated_sections(diff: &Diff) -> Vec<ChangeSection> {
    sections_with(diff, |text| isolated(&printable(text)).into_owned())
}

fn sections_with(diff: &Diff, shown: TextStyle) -> Vec<ChangeSection> {
    let resources = lines(&diff.resources, shown, |row| vec![resource_text(row, shown)]);
    let entitlements = lines(&own_changes(diff), shown, |row| vec![entitlement_text(row, shown)]);
    let grants = lines(&diff.grants, shown, |row: &DiffGrant| {
        vec![
            resource_text(&row.principal, shown),
            entitlement_text(&row.entitlement, shown),
            path_in_words(row, shown),
        ]
    });
    let section = |title, columns, lines| ChangeSection { title, columns, lines };
    let sections = [
        section("Resources", &["Resource"][..], resources),
        section("Entitlements", &["Entitlement"], entitlements),
        section("Access", &["Who", "What", "How"], grants),
    ];
    sections.into_iter().filter(|section| !section.lines.is_empty()).collect()
}

/// How much changed, in a sentence.
pub(super) fn summary(diff: &Diff) -> String {
    let part = |what: &str, created: usize, deleted: usize, modified: usize| {
        let counts = [(created, "added"), (deleted, "removed"), (modified, "changed")];
        let counts: Vec<_> = counts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, verb)| format!("{count} {verb}"))
            .collect();
        (!counts.is_empty()).then(|| format!("{what}: {}", counts.join(", ")))
    };
    let (resources, grants) = (&diff.resources, &diff.grants);
    let entitlements = own_changes(diff);
    [
        part(
            "Resources",
            resources.created.len(),
            resources.deleted.len(),
            resources.modified.len(),
        ),
        part(
            "entitlements",
            entitlements.created.len(),
            entitlements.deleted.len(),
            entitlements.modified.len(),
        ),
        part("access", grants.created.len(), grants.deleted.len(), grants.modified.len()),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join("; ")
}

/// The entitlements' changes but for those that came or went with their resource.
fn own_changes(diff: &Diff) -> RowChanges<EntitlementRef> {
    let without = |rows: &[EntitlementRef], resources: &[ResourceRef]| {
        let resources: HashSet<_> = resources.iter().collect();
        rows.iter().filter(|row| !resources.contains(&row.resource)).cloned().collect()
    };
    RowChanges {
        created: without(&diff.entitlements.created, &diff.resources.created),
        modified: diff.entitlements.modified.clone(),
        deleted: without(&diff.entitlements.deleted, &diff.resources.deleted),
    }
}

/// What came, what went, what changed.
fn lines<T>(
    changes: &RowChanges<T>,
    shown: TextStyle,
    columns: impl Fn(&T) -> Vec<String>,
) -> Vec<ChangeLine> {
    let plain = |sign, row| ChangeLine { sign, columns: columns(row), changes: Vec::new() };
    let created = changes.created.iter().map(|row| plain(ChangeSign::Added, row));
    let deleted = changes.deleted.iter().map(|row| plain(ChangeSign::Removed, row));
    let modified = changes.modified.iter().map(|ModifiedRow { row, changes }| ChangeLine {
        changes: if changes.is_empty() {
            vec!["other details".to_owned()]
        } else {
            in_words(changes).map(|it| change(it, shown)).collect()
        },
        ..plain(ChangeSign::Changed, row)
    });
    created.chain(deleted).chain(modified).collect()
}

/// The changes without what another of them says in words.
fn in_words(changes: &[AttributeChange]) -> impl Iterator<Item = &AttributeChange> {
    let has_words = changes.iter().any(|change| change.fact == RESTRICTIONS);
    let is_said = move |fact: &str| has_words && IN_RESTRICTIONS.contains(&fact);
    changes.iter().filter(move |change| !is_said(&change.fact))
}

/// What changed. Where nobody could see what, the texts are told by their code points.
fn change(change: &AttributeChange, shown: TextStyle) -> String {
    let AttributeChange { fact, old, new } = change;
    let text = |text: &Option<String>| text.as_deref().map_or("nothing".to_owned(), shown);
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) if confusable_skeleton(old) == confusable_skeleton(new) => {
            (by_code_point(old), by_code_point(new))
        }
        _ => (text(old), text(new)),
    };
    format!("{}: {old} → {new}", shown(fact))
}

/// Type, name and, where it says more, id.
fn resource_text(row: &ResourceRef, shown: TextStyle) -> String {
    let (resource_type, id) = (shown(&row.resource_type), shown(&row.resource));
    if row.display_name == row.resource {
        format!("{resource_type} {id}")
    } else {
        format!("{resource_type} {} ({id})", shown(&row.display_name))
    }
}

/// Whose entitlement it is, by name: ids of groups are long, and JSON has them.
fn entitlement_text(row: &EntitlementRef, shown: TextStyle) -> String {
    let EntitlementRef { id, slug, resource } = row;
    if resource.resource_type.is_empty() {
        shown(id)
    } else {
        let name = shown(&resource.distinct_name());
        format!("{} {name}: {}", shown(&resource.resource_type), shown(slug))
    }
}

/// What one of the syncs doesn't cover.
pub(super) fn left_out(diff: &Diff) -> Vec<String> {
    let part = |which: &str, label: &SyncLabel| {
        let part = label.reduced_to.as_ref();
        part.map(|part| format!("The {which} sync doesn't cover everything: {part}"))
    };
    let old = diff.old.as_ref().and_then(|old| part("earlier", old));
    old.into_iter().chain(part("later", &diff.new)).collect()
}
