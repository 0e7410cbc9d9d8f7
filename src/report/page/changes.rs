//! What changed since the file's sync before.

use crate::report::model::{ChangeLine, ChangeList};

use super::limits::MOST_CHANGES;

/// What changed, as far as the page has room.
pub(in crate::report) struct PageChanges<'changes> {
    pub(in crate::report) ended_at: String,
    pub(in crate::report) sync_id: &'changes str,
    pub(in crate::report) sections: Vec<PageChangeSection<'changes>>,
}

/// Changes of one kind.
pub(in crate::report) struct PageChangeSection<'changes> {
    pub(in crate::report) title: &'static str,
    pub(in crate::report) lines: &'changes [ChangeLine],
    /// How many changes it leaves to the diff.
    pub(in crate::report) more: usize,
}

impl<'changes> PageChanges<'changes> {
    pub(in crate::report) fn new(changes: &'changes ChangeList) -> Self {
        let sections = changes.sections.iter().map(|section| {
            let lines = &section.lines[..section.lines.len().min(MOST_CHANGES)];
            PageChangeSection {
                title: section.title,
                lines,
                more: section.lines.len() - lines.len(),
            }
        });
        Self {
            ended_at: changes.since.ended(),
            sync_id: &changes.since.sync_id,
            sections: sections.collect(),
        }
    }
}
