//! Keeping: pages become safe in the journal, and part of what has been read. And back: what a
//! journal kept is read again.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::journal::Journal;

use super::fold::{Access, Fold};
use super::list::Lists;
use super::page::ListPage;
use super::{Error, Progress, Selection};

/// A page that has arrived.
pub(super) struct Arrived {
    pub(super) page: ListPage,
    /// As which it came; empty if the page only says that the list is gone.
    pub(super) body: Vec<u8>,
    /// Told when the page is safe on disk.
    pub(super) is_safe: oneshot::Sender<()>,
}

/// Keeps pages until there are no more. All that wait become safe together.
pub(super) fn keep(
    mut journal: Journal,
    mut fold: Fold,
    mut waiting: mpsc::Receiver<Arrived>,
    progress: &Progress,
) -> Result<Fold, Error> {
    while let Some(first) = waiting.blocking_recv() {
        let mut arrived = vec![first];
        while let Ok(next) = waiting.try_recv() {
            arrived.push(next);
        }
        // What was read before an answer that can't be used is kept.
        let mut unusable = Ok(());
        let (mut pages, mut records) = (Vec::new(), Vec::new());
        for Arrived { page, body, is_safe } in arrived {
            unusable = page.rows.check();
            if unusable.is_err() {
                break;
            }
            records.push(page.record(body)?);
            pages.push((page, is_safe));
        }
        journal.append(records.iter().map(Vec::as_slice))?;
        for (page, is_safe) in pages {
            progress.read(&page);
            fold.page(page)?;
            // A reader that was stopped meanwhile doesn't wait any more.
            let _ = is_safe.send(());
        }
        unusable?;
    }
    Ok(fold)
}

/// What has been read, by this run or an earlier one.
#[derive(Debug)]
pub struct Gathered {
    selection: Arc<Selection>,
    /// What it says together.
    pub(super) fold: Fold,
    /// How far each list has been read.
    pub(super) lists: Lists,
}

impl Gathered {
    /// Nothing yet of what is selected.
    pub fn nothing_of(selection: &Arc<Selection>) -> Self {
        let lists = Lists::of(selection);
        Self { selection: Arc::clone(selection), fold: Fold::default(), lists }
    }

    /// Adds a page that a journal kept, or says what is wrong with it.
    pub fn replay(&mut self, record: &[u8], progress: &Progress) -> Result<(), String> {
        let page = ListPage::of_record(record)?;
        if !self.lists.read(&page.rows.list(), page.next.as_ref()) {
            return Err("it names a list that isn't to be read".to_owned());
        }
        progress.lists.add(self.lists.add(page.rows.found(&self.selection)));
        progress.read(&page);
        self.fold.page(page).map_err(|error| error.to_string())
    }

    /// All of it, in order.
    pub fn finish(self) -> Access {
        self.fold.finish()
    }
}

#[cfg(test)]
mod tests;
