//! Keeping: pages become safe in the journal. And back: what a journal kept is gathered again.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::journal::Journal;

use super::fold::{Access, Fold};
use super::list::Lists;
use super::page::ListPage;
use super::{Error, Progress, Selection};

/// A page that is to be kept.
pub(super) struct Unsafe {
    /// What the journal is to keep of it.
    pub(super) record: Vec<u8>,
    /// Told when that is safe on disk.
    pub(super) is_safe: oneshot::Sender<()>,
}

/// How long a page waits for others, to be made safe together with them: about half of what that
/// costs on a fast disk. Where answers come at once, readers wait for it as well.
const GATHERING: Duration = Duration::from_micros(200);

/// Keeps pages until there are no more. All that wait become safe together.
pub(super) fn keep(
    mut journal: Journal,
    mut waiting: mpsc::Receiver<Unsafe>,
    progress: &Progress,
) -> Result<(), Error> {
    while let Some(first) = waiting.blocking_recv() {
        let mut pages = vec![first];
        std::thread::sleep(GATHERING);
        while let Ok(next) = waiting.try_recv() {
            pages.push(next);
        }
        journal.append(pages.iter().map(|page| page.record.as_slice()))?;
        progress.pages.add(pages.len());
        for page in pages {
            // A reader that was stopped meanwhile doesn't wait any more.
            let _ = page.is_safe.send(());
        }
    }
    Ok(())
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
        progress.pages.add(1);
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
