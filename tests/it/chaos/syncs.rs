//! All syncs of a file, and which of them must still be there after another one.

use std::collections::BTreeSet;
use std::path::Path;

use super::settings::Keep;
use crate::harness::sync_file::SyncFile;
use serde_json::Value;

const TABLES: [&str; 4] = ["resource_types", "resources", "entitlements", "grants"];

/// A sync of a file.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Sync {
    pub(super) id: String,
    kind: String,
    token: String,
    ended_at: Option<String>,
    started_at: String,
    rows: Vec<Vec<(String, Vec<u8>)>>,
}

impl Sync {
    /// Of each table, ids and messages in order.
    pub(super) fn rows(&self) -> &[Vec<(String, Vec<u8>)>] {
        &self.rows
    }

    fn is_full(&self) -> bool {
        self.kind == "full" && self.ended_at.is_some()
    }

    fn is_signed(&self) -> bool {
        self.said("connector") == "baton-northflank"
    }

    /// Whether they are told apart by nothing that retention goes by.
    fn is_like(&self, other: &Self) -> bool {
        let words = ["connector", "reduced_to", "types"];
        words.iter().all(|word| self.said(word) == other.said(word))
    }

    fn said(&self, word: &str) -> Value {
        serde_json::from_str::<Value>(&self.token).unwrap_or_default()[word].take()
    }
}

/// The syncs of a file, those that have ended last, the newest at the end.
pub(super) fn read(path: &Path) -> Vec<Sync> {
    let file = SyncFile::open(path);
    let sql = "select sync_id, sync_type, sync_token, ended_at, started_at from v1_sync_runs
               order by ended_at, sync_id";
    let mut statement = file.connection.prepare(sql).unwrap();
    let runs = statement.query_map([], |row| {
        let id: String = row.get(0)?;
        let rows = TABLES.iter().map(|table| {
            let sql =
                format!("select external_id, data from v1_{table} where sync_id = ?1 order by id");
            let mut statement = file.connection.prepare(&sql)?;
            let rows = statement.query_map([&id], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
        });
        Ok(Sync {
            rows: rows.collect::<rusqlite::Result<_>>()?,
            kind: row.get(1)?,
            token: row.get(2)?,
            ended_at: row.get(3)?,
            started_at: row.get(4)?,
            id,
        })
    });
    runs.unwrap().map(Result::unwrap).collect()
}

/// Asserts that `new`, to which `added` syncs have been added, has all syncs of `old` that were
/// to be kept, as they were. Returns the ids of those added.
pub(super) fn assert_kept(
    old: &[Sync],
    new: &[Sync],
    added: usize,
    keep: Keep,
) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for sync in new {
        match old.iter().find(|earlier| earlier.id == sync.id) {
            Some(earlier) => assert!(earlier == sync, "the earlier sync {} has changed", sync.id),
            None => assert!(ids.insert(sync.id.clone()), "{} stands there twice", sync.id),
        }
    }
    assert!(!ids.is_empty() && ids.len() <= added, "{} syncs are new, not {added}", ids.len());
    let newest = new.last().unwrap();
    assert!(ids.contains(&newest.id), "readers take an earlier sync for the newest");
    assert!(newest.ended_at.is_some(), "the new sync has not ended");

    let lost = old.iter().filter(|sync| new.iter().all(|other| other.id != sync.id));
    for sync in lost {
        let what = format!("the earlier {} sync {} is lost", sync.kind, sync.id);
        let alike = || old.iter().filter(|other| other.is_full() && other.is_like(sync));
        let count = match keep {
            Keep::All => panic!("{what}, and all were to be kept"),
            Keep::Newest(count) => count,
            Keep::AsMany => alike().count().max(2),
        };
        assert!(sync.ended_at.is_some(), "{what}, which may go on");
        assert!(sync.is_signed() || !sync.is_full(), "{what}, which is not ours");
        if sync.is_full() {
            // Of those that cover the same, the newest stay.
            let newer = alike().skip_while(|other| *other != sync).skip(1).count();
            let like_new = newest.is_full() && newest.is_like(sync);
            let newer = newer + if like_new { added } else { 0 };
            assert!(newer >= count, "{what} with {newer} newer ones, and {count} were to be kept");
        } else {
            // Of two runs that added one each, the second found the first's. It goes with the full
            // one that it follows.
            let newest_full = old.iter().rfind(|other| other.is_full());
            let is_newer = added == 1
                && newest_full.is_none_or(|full| {
                    new.iter().any(|other| other.id == full.id)
                        && sync.ended_at.as_deref() >= Some(&*full.started_at)
                });
            assert!(!is_newer, "{what}, which is newer than the full one that stays");
        }
    }
    ids
}
