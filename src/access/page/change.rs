//! What changed since the file's sync before.

use crate::facts::{Changes, Line};

use super::limit::MOST_CHANGES;

/// What changed, as far as the page has room.
pub(super) struct Since<'changes> {
    pub(super) ended_at: String,
    pub(super) sync_id: &'changes str,
    pub(super) sections: Vec<Section<'changes>>,
}

/// Changes of one kind.
pub(super) struct Section<'changes> {
    pub(super) title: &'static str,
    pub(super) lines: &'changes [Line],
    /// How many changes it leaves to the diff.
    pub(super) more: usize,
}

impl<'changes> Since<'changes> {
    pub(super) fn new(changes: &'changes Changes) -> Self {
        let sections = changes.sections.iter().map(|section| {
            let lines = &section.lines[..section.lines.len().min(MOST_CHANGES)];
            Section { title: section.title, lines, more: section.lines.len() - lines.len() }
        });
        Self {
            ended_at: changes.since.ended(),
            sync_id: &changes.since.sync_id,
            sections: sections.collect(),
        }
    }
}
