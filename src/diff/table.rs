//! A diff for people at a terminal.

use std::fmt::Write as _;

use unicode_width::UnicodeWidthStr;

use crate::baton::printable;

use super::{Change, Changes, Diff, Entitled, Held, Modified, Named, SyncLabel, how};

const GREEN: &str = "\u{1b}[32m";
const RED: &str = "\u{1b}[31m";
const YELLOW: &str = "\u{1b}[33m";
const BOLD: &str = "\u{1b}[1m";
const PLAIN: &str = "\u{1b}[0m";

/// The diff as lines of text, with colour if wanted.
pub fn table(diff: &Diff, colour: bool) -> String {
    let mut text = format!("From {}\nto   {}\n", sync(&diff.old), sync(&diff.new));
    if diff.is_empty() {
        text.push_str("\nNo changes.\n");
        return text;
    }
    let resources = lines(&diff.resources, |row| vec![named(row)]);
    let entitlements = lines(&own_changes(diff), |row| vec![entitled(row)]);
    let grants = lines(&diff.grants, |row: &Held| {
        vec![named(&row.principal), entitled(&row.entitlement), how(row)]
    });
    let grants: Vec<Line> = grants.into_iter().map(narrow).collect();
    for (title, lines) in
        [("Resources", resources), ("Entitlements", entitlements), ("Access", grants)]
    {
        section(&mut text, title, &lines, colour);
    }
    let _ = writeln!(text, "\n{}", summary(diff));
    text
}

/// A row of access without its last column: most access is direct, and what isn't has a line
/// of its own, so that rows fit a terminal.
fn narrow(mut line: Line) -> Line {
    let how = line.columns.pop().unwrap_or_default();
    let is_told = how == "direct" || line.changes.iter().any(|it| it.starts_with("held: "));
    if !is_told {
        line.changes.insert(0, how);
    }
    line
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
pub(super) fn own_changes(diff: &Diff) -> Changes<Entitled> {
    let without = |rows: &[Entitled], resources: &[Named]| {
        rows.iter().filter(|row| !resources.contains(&row.resource)).cloned().collect()
    };
    Changes {
        created: without(&diff.entitlements.created, &diff.resources.created),
        modified: diff.entitlements.modified.clone(),
        deleted: without(&diff.entitlements.deleted, &diff.resources.deleted),
    }
}

/// A row of text: its sign, its columns, what changed in it.
pub(super) struct Line {
    pub(super) sign: char,
    pub(super) columns: Vec<String>,
    pub(super) changes: Vec<String>,
}

/// What came, what went, what changed.
pub(super) fn lines<T>(changes: &Changes<T>, columns: impl Fn(&T) -> Vec<String>) -> Vec<Line> {
    let plain = |sign, row| Line { sign, columns: columns(row), changes: Vec::new() };
    let created = changes.created.iter().map(|row| plain('+', row));
    let deleted = changes.deleted.iter().map(|row| plain('-', row));
    let modified = changes.modified.iter().map(|Modified { row, changes }| Line {
        changes: if changes.is_empty() {
            vec!["other details".to_owned()]
        } else {
            changes.iter().map(change).collect()
        },
        ..plain('~', row)
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

fn section(text: &mut String, title: &str, lines: &[Line], colour: bool) {
    if lines.is_empty() {
        return;
    }
    let (bold, plain) = if colour { (BOLD, PLAIN) } else { ("", "") };
    let _ = writeln!(text, "\n{bold}{title}{plain}");
    let count = lines.iter().map(|line| line.columns.len()).max().unwrap_or_default();
    let widths: Vec<usize> = (0..count)
        .map(|column| {
            let texts = lines.iter().filter_map(|line| line.columns.get(column));
            texts.map(|text| text.width()).max().unwrap_or_default()
        })
        .collect();
    for line in lines {
        let padded = line.columns.iter().zip(&widths).map(|(text, width)| {
            let padding = width.saturating_sub(text.width());
            format!("{text}{:padding$}", "")
        });
        let row = padded.collect::<Vec<_>>().join("  ");
        let tint = match line.sign {
            _ if !colour => "",
            '+' => GREEN,
            '-' => RED,
            _ => YELLOW,
        };
        let _ = writeln!(text, "  {tint}{} {}{plain}", line.sign, row.trim_end());
        for change in &line.changes {
            let _ = writeln!(text, "      {change}");
        }
    }
}

fn change(change: &Change) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    format!("{}: {} → {}", change.fact, value(&change.old), value(&change.new))
}

/// Type, name and, where it says more, id.
pub(super) fn named(row: &Named) -> String {
    if row.display_name == row.resource {
        format!("{} {}", row.resource_type, row.resource)
    } else {
        format!("{} {} ({})", row.resource_type, row.display_name, row.resource)
    }
}

/// Whose entitlement it is, by name: ids of groups are long, and JSON has them.
pub(super) fn entitled(row: &Entitled) -> String {
    if row.resource.resource_type.is_empty() {
        row.id.clone()
    } else {
        format!("{} {}: {}", row.resource.resource_type, row.resource.display_name, row.slug)
    }
}

/// The file and when the sync ended, to the second.
pub(super) fn sync(label: &SyncLabel) -> String {
    let ended_at = label.ended_at.split('.').next().unwrap_or_default();
    printable(&format!("{} ({ended_at})", label.file))
}
