//! What a journal keeps: the pages that say who is in a role or group, and that a reading was
//! finished. Back from there come only whole lists that are young enough.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::baton::{IdError, check_id, shorten};
use crate::connector::resource_type_of_rows;
use crate::northflank::{AnyRow, List, ListKind, Page};
use crate::work_dir::FramePosition;

use super::Error;

/// A list that was read longer before a run counts for nothing in it.
const LONGEST_AGE: Duration = Duration::DAY;

/// A clock that was set back by less is no reason to read everything again.
const CLOCKS_DIFFER: Duration = Duration::HOUR;

/// For so long a reading that was finished serves another task than the one that it was for: as
/// long as ConductorOne takes to ask again after a failure. Whoever asks later wants to know
/// what is true then.
const FINISHED_SERVES_OTHERS: Duration = Duration::minutes(10);

/// What stands on the last line of a record.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum PageNote {
    /// Before it stands a page, as it came.
    Page {
        /// Who is in this, says the page.
        of: List,
        /// How many pages of the list stand before it.
        number: usize,
        /// When the list was read to its end, in seconds since 1970, if the page is its last.
        ended_at: Option<i64>,
    },
    /// All that there was to read had been read.
    Finished {
        /// When, in seconds since 1970.
        at: i64,
        /// For which task.
        task: String,
    },
}

/// The record of the page `number` of the list of who is in `of`, which came as `body`.
/// `ended_at` is when the list was read to its end, if it is the last.
pub fn page_record(
    of: &List,
    number: usize,
    ended_at: Option<OffsetDateTime>,
    mut body: Vec<u8>,
) -> serde_json::Result<Vec<u8>> {
    let ended_at = ended_at.map(OffsetDateTime::unix_timestamp);
    let note = PageNote::Page { of: of.clone(), number, ended_at };
    body.push(b'\n');
    serde_json::to_writer(&mut body, &note)?;
    Ok(body)
}

/// The record of a reading that was finished `at`, for `task`.
pub(super) fn finished_record(at: OffsetDateTime, task: &str) -> serde_json::Result<Vec<u8>> {
    let note = PageNote::Finished { at: at.unix_timestamp(), task: task.to_owned() };
    serde_json::to_vec(&note)
}

/// The page that a record of the list of who is in `of` keeps, or what is wrong with it.
pub fn recorded_page(of: &List, record: &[u8]) -> Result<Page, String> {
    let (body, note) = split(record)?;
    let PageNote::Page { of: own, number, ended_at } = note else {
        return Err("it is of no list".to_owned());
    };
    if own != *of {
        return Err("it is of another list".to_owned());
    }
    let page = Page::read(own, body, number == 0, ended_at.is_some());
    let page = page.map_err(|error| error.to_string())?;
    check_ids(&page).map_err(|error| error.to_string())?;
    Ok(page)
}

/// Refuses ids that baton's ids can't carry.
pub(super) fn check_ids(page: &Page) -> Result<(), Error> {
    let declaration = page.list.kind.declaration();
    let has_lists_below = |kind: &ListKind| !kind.declaration().of_each_row.is_empty();
    // What ids of two parts begin with ends at the first slash.
    let begins_ids = declaration.of_each_row.iter().any(has_lists_below);
    let becomes_resources = resource_type_of_rows(page.list.kind).is_some();
    for id in page.rows.iter().filter_map(AnyRow::id) {
        let checked = check_id(id).and_then(|()| {
            if begins_ids && (id.contains('/') || id.starts_with('@')) {
                Err(IdError::Slash)
            } else if becomes_resources {
                check_id(&page.list.id_of(id))
            } else {
                Ok(())
            }
        });
        checked.map_err(|source| Error::Id {
            kind: declaration.row,
            id: shorten(id, 100),
            source,
        })?;
    }
    Ok(())
}

fn split(record: &[u8]) -> Result<(&[u8], PageNote), String> {
    let end = memchr::memrchr(b'\n', record);
    let (body, note) = end.map_or((&[][..], record), |end| (&record[..end], &record[end + 1..]));
    let note = serde_json::from_slice(note).map_err(|error| error.to_string())?;
    Ok((body, note))
}

/// Where in a journal which list stands.
#[derive(Debug, Default)]
pub struct JournalIndex {
    /// The pages of lists that haven't ended yet.
    begun: HashMap<List, Vec<FramePosition>>,
    whole: HashMap<List, KeptList>,
    /// When the reading was finished, and for which task.
    finished: Option<(OffsetDateTime, String)>,
}

/// Where a whole list stands.
#[derive(Debug)]
pub struct KeptList {
    /// Its pages, one after the other.
    pub pages: Vec<FramePosition>,
    /// When it was read to its end.
    pub ended_at: OffsetDateTime,
}

/// The whole lists that a run may take from a journal.
pub type KeptLists = HashMap<List, KeptList>;

impl JournalIndex {
    /// Takes down a record that stands at `place`, or says what is wrong with it.
    pub fn add(&mut self, record: &[u8], place: FramePosition) -> Result<(), String> {
        let time = |seconds| {
            OffsetDateTime::from_unix_timestamp(seconds).map_err(|error| error.to_string())
        };
        let (of, number, ended_at) = match split(record)?.1 {
            PageNote::Page { of, number, ended_at } => {
                (of, number, ended_at.map(time).transpose()?)
            }
            PageNote::Finished { at, task } => {
                self.finished = Some((time(at)?, task));
                return Ok(());
            }
        };
        let mut pages = self.begun.remove(&of).unwrap_or_default();
        if number == 0 {
            // Begun anew, by this run or another.
            pages.clear();
        } else if number != pages.len() {
            return Err(format!("a page of the {of} is missing before it"));
        }
        pages.push(place);
        match ended_at {
            Some(ended_at) => drop(self.whole.insert(of, KeptList { pages, ended_at })),
            None => drop(self.begun.insert(of, pages)),
        }
        Ok(())
    }

    /// What of it serves a run for `task` that begins `now`.
    pub fn kept_lists(self, now: OffsetDateTime, task: Option<&str>) -> KeptLists {
        let Self { mut whole, finished, .. } = self;
        let is_young =
            |at: OffsetDateTime, longest| (-CLOCKS_DIFFER..longest).contains(&(now - at));
        // What was read before another task was done was for that task.
        let spent = finished
            .filter(|(at, of)| task != Some(of) && !is_young(*at, FINISHED_SERVES_OTHERS))
            .map(|(at, _)| at);
        whole.retain(|_, list| {
            is_young(list.ended_at, LONGEST_AGE) && spent.is_none_or(|at| list.ended_at > at)
        });
        whole
    }
}

#[cfg(test)]
mod tests;
