//! Changes as lines, which every format shows in its own way.

use std::collections::HashSet;

use crate::baton::printable;
use crate::facts::{self, Entitled, Line, Named, Section, Sign, SyncLabel, by_code_point, look};

use super::differences::{Change, Changes, Diff, Held, Modified, how};

/// What changed, as lines; kinds of which nothing changed are left out.
pub fn changes(diff: &Diff) -> facts::Changes {
    let resources = lines(&diff.resources, |row| vec![named(row)]);
    let entitlements = lines(&own_changes(diff), |row| vec![entitled(row)]);
    let grants = lines(&diff.grants, |row: &Held| {
        vec![named(&row.principal), entitled(&row.entitlement), how(row)]
    });
    let section = |title, columns, lines| Section { title, columns, lines };
    let sections = [
        section("Resources", &["Resource"][..], resources),
        section("Entitlements", &["Entitlement"], entitlements),
        section("Access", &["Who", "What", "How"], grants),
    ];
    facts::Changes {
        since: diff.old.clone(),
        sections: sections.into_iter().filter(|section| !section.lines.is_empty()).collect(),
    }
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
fn own_changes(diff: &Diff) -> Changes<Entitled> {
    let without = |rows: &[Entitled], resources: &[Named]| {
        let resources: HashSet<_> = resources.iter().collect();
        rows.iter().filter(|row| !resources.contains(&row.resource)).cloned().collect()
    };
    Changes {
        created: without(&diff.entitlements.created, &diff.resources.created),
        modified: diff.entitlements.modified.clone(),
        deleted: without(&diff.entitlements.deleted, &diff.resources.deleted),
    }
}

/// What came, what went, what changed.
fn lines<T>(changes: &Changes<T>, columns: impl Fn(&T) -> Vec<String>) -> Vec<Line> {
    let plain = |sign, row| Line { sign, columns: columns(row), changes: Vec::new() };
    let created = changes.created.iter().map(|row| plain(Sign::Added, row));
    let deleted = changes.deleted.iter().map(|row| plain(Sign::Removed, row));
    let modified = changes.modified.iter().map(|Modified { row, changes }| Line {
        changes: if changes.is_empty() {
            vec!["other details".to_owned()]
        } else {
            changes.iter().map(change).collect()
        },
        ..plain(Sign::Changed, row)
    });
    let lines = created.chain(deleted).chain(modified);
    lines
        .map(|line| Line {
            columns: line.columns.iter().map(|text| printable(text)).collect(),
            changes: line.changes.iter().map(|text| printable(text)).collect(),
            ..line
        })
        .collect()
}

/// What changed. Where nobody could see what, the texts are told by their code points.
fn change(change: &Change) -> String {
    let nothing = || "nothing".to_owned();
    let Change { fact, old, new } = change;
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) if look(old) == look(new) => {
            (by_code_point(old), by_code_point(new))
        }
        (old, new) => (old.clone().unwrap_or_else(nothing), new.clone().unwrap_or_else(nothing)),
    };
    format!("{fact}: {old} → {new}")
}

/// Type, name and, where it says more, id.
fn named(row: &Named) -> String {
    if row.display_name == row.resource {
        format!("{} {}", row.resource_type, row.resource)
    } else {
        format!("{} {} ({})", row.resource_type, row.display_name, row.resource)
    }
}

/// Whose entitlement it is, by name: ids of groups are long, and JSON has them.
fn entitled(row: &Entitled) -> String {
    if row.resource.resource_type.is_empty() {
        row.id.clone()
    } else {
        format!("{} {}: {}", row.resource.resource_type, row.resource.distinct_name(), row.slug)
    }
}

/// The file and when the sync ended, to the second.
pub(super) fn sync(label: &SyncLabel) -> String {
    let ended_at = label.ended_at.split('.').next().unwrap_or_default();
    printable(&format!("{} ({ended_at})", label.file))
}
