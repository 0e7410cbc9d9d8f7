//! The verdict on a run: a true file, or the old one and a line that says why.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::model::Truth;
use super::place::{ChaosDirectory, Thing, snapshot};
use super::process::Ended;
use super::settings::Settings;
use super::syncs::{self, Sync};
use crate::harness::exit_code;
use crate::harness::sync_file::unpack;
use crate::secrets::Secret;

/// What a run may do.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Exit codes besides 0.
    pub(super) codes: BTreeSet<i32>,
    /// Signals that it may die of.
    pub(super) signals: BTreeSet<i32>,
    /// It can't succeed.
    pub(super) must_fail: bool,
    /// It may leave things in the work directory that a run of its own accord clears away.
    pub(super) leaves_remains: bool,
    /// It may fail though the file is there: it couldn't be shown what changed.
    pub(super) fails_after_saving: bool,
}

/// Everything as it was before a run.
pub(super) struct Before {
    things: BTreeMap<PathBuf, Thing>,
    syncs: Vec<Sync>,
}

impl Before {
    pub(super) fn of(place: &ChaosDirectory) -> Self {
        let things = snapshot(place.room.path());
        let is_sync_file = matches!(things.get(&at(place, &place.file)),
            Some(Thing::File(content, _)) if content.starts_with(b"C1ZF\0"));
        let syncs = if is_sync_file && !place.standing.is_refused() {
            syncs::read(&place.file)
        } else {
            Vec::new()
        };
        Self { things, syncs }
    }

    /// Whether an earlier run has left what the next may go on from.
    pub(super) fn has_journal(&self, place: &ChaosDirectory) -> bool {
        self.things.contains_key(&at(place, &place.journal()))
    }
}

/// A path as a snapshot of the place has it.
fn at(place: &ChaosDirectory, path: &Path) -> PathBuf {
    let room = place.room.path().canonicalize().unwrap();
    place.room.path().join(path.strip_prefix(room).unwrap())
}

/// Judges what runs, one or more at once, have made of what was `before`. Returns whether the
/// file is new.
pub(super) fn judge(
    place: &ChaosDirectory,
    before: &Before,
    ended: &[Ended],
    settings: &Settings,
    allowed: &Allowed,
    truth: &Truth,
    secret: &Secret,
) -> bool {
    for run in ended {
        assert_ended_as_documented(run, settings, allowed);
        let outputs = [("standard output", &run.stdout), ("standard error", &run.stderr)];
        for (what, text) in outputs {
            secret.assert_not_in(what, text.as_deref().unwrap_or_default().as_bytes());
        }
    }
    let after = snapshot(place.room.path());
    for (path, thing) in &after {
        if let Thing::File(content, _) = thing {
            secret.assert_not_in(&path.display().to_string(), content);
        }
    }
    let [file, work] = [&place.file, &place.work()].map(|path| at(place, path));
    let is_new = before.things.get(&file) != after.get(&file);
    let succeeded =
        ended.iter().filter(|run| matches!(run.code, Some(0 | exit_code::CHANGED))).count();
    assert!(succeeded == 0 || is_new, "success, and the file is as it was");
    if is_new {
        let failed_late = ended.iter().filter(|run| {
            run.signal == Some(9)
                || (allowed.fails_after_saving && !matches!(run.code, Some(0 | exit_code::CHANGED)))
        });
        let most = succeeded + failed_late.count();
        assert!(most > 0, "failed, and the file is another");
        let Some(Thing::File(_, mode)) = after.get(&file) else {
            panic!("no file is there any more");
        };
        let chosen = match before.things.get(&file) {
            Some(Thing::File(_, mode)) => *mode,
            _ => 0o600,
        };
        assert_eq!(*mode, chosen, "the mode of the file is {mode:o}");
        let now = syncs::read(&place.file);
        syncs::assert_kept(&before.syncs, &now, most, settings.keep);
        truth.assert_holds(&place.file);
        let database = tempfile::NamedTempFile::new().unwrap();
        unpack(&place.file, database.path());
        secret.assert_not_in("the file", &std::fs::read(database.path()).unwrap());
    }
    assert_nothing_else_changed(&before.things, &after, &file, &work);
    let is_calm = !allowed.leaves_remains && ended.iter().all(|run| run.signal.is_none());
    if is_calm {
        assert_cleared_away(&before.things, &after, &work, succeeded == ended.len());
    }
    is_new
}

/// The exit code is one that explains itself, and standard error holds one line that says why.
fn assert_ended_as_documented(run: &Ended, settings: &Settings, allowed: &Allowed) {
    match (run.code, run.signal) {
        (Some(0), _) => assert!(!allowed.must_fail, "success, which can't be"),
        // Something changed.
        (Some(exit_code::CHANGED), _) if settings.shows_changes => {}
        (Some(code), _) => {
            assert!(allowed.codes.contains(&code), "nothing explains the exit code {code}");
        }
        (None, signal) => {
            let signal = signal.unwrap();
            assert!(allowed.signals.contains(&signal), "nothing explains the signal {signal}");
        }
    }
    if let Some(stdout) = run.stdout.as_deref().filter(|_| !settings.shows_changes) {
        assert_eq!(stdout, "", "nothing was asked for");
    }
    let Some(stderr) = &run.stderr else {
        return;
    };
    let lines: Vec<&str> = stderr.lines().collect();
    let is_error = |line: &&&str| line.starts_with("baton-northflank: ");
    let errors = lines.iter().filter(is_error).count();
    match (run.code, run.signal) {
        (Some(0 | exit_code::CHANGED), _) => assert_eq!(errors, 0, "an error, and success"),
        (Some(_), _) => {
            assert_eq!(errors, 1, "errors are one line");
            assert!(lines.last().as_ref().is_some_and(is_error), "the error comes last");
        }
        (None, _) => assert!(errors <= 1),
    }
    assert!(!stderr.contains("panicked"), "a panic");
    if settings.logs_json && run.signal.is_none() {
        for line in lines.iter().filter(|line| !is_error(line)) {
            let value: Result<serde_json::Value, _> = serde_json::from_str(line);
            assert!(value.is_ok_and(|value| value.is_object()), "no line of a log: {line:?}");
        }
    }
}

/// Names that runs give in their work directory.
fn is_runs_own(name: &str) -> bool {
    let own = ["lock", "journal", "sync.c1z", "sync.db", "previous.db"];
    own.iter().chain(&["etilqs_", ".probe-", ".tmp", ".nfs"]).any(|own| name.starts_with(own))
}

/// Somebody's things are as they were, and there are none besides.
fn assert_nothing_else_changed(
    before: &BTreeMap<PathBuf, Thing>,
    after: &BTreeMap<PathBuf, Thing>,
    file: &Path,
    work: &Path,
) {
    let is_ours = |path: &Path| {
        path == file
            || path == work
            || (path.parent() == Some(work)
                && path.file_name().and_then(|name| name.to_str()).is_some_and(is_runs_own))
    };
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for path in paths.into_iter().filter(|path| !is_ours(path)) {
        let name = path.display();
        match (before.get(path), after.get(path)) {
            (Some(_), None) => panic!("{name} is gone"),
            (None, Some(_)) => panic!("{name} is left behind"),
            (was, is) => assert!(was == is, "{name} has changed"),
        }
    }
    for (path, thing) in after.iter().filter(|(path, _)| path.parent() == Some(work)) {
        let is_as_before = before.get(path) == Some(thing);
        if let Thing::File(_, mode) = thing
            && !is_as_before
        {
            // A file that was about to be put in place has the mode that somebody chose for it.
            let is_next = path.file_name().is_some_and(|name| name == "sync.c1z");
            let chosen = before.get(file).filter(|_| is_next);
            let is_chosen = matches!(chosen, Some(Thing::File(_, chosen)) if chosen == mode);
            assert!(
                *mode == 0o600 || is_chosen,
                "{} may be read by others: {mode:o}",
                path.display()
            );
        }
    }
    if let Some(Thing::Directory(mode)) = after.get(work)
        && before.get(work) != after.get(work)
    {
        assert_eq!(*mode, 0o700, "the work directory is open to others: {mode:o}");
    }
}

/// Nothing is left but what the next run goes on from.
fn assert_cleared_away(
    before: &BTreeMap<PathBuf, Thing>,
    after: &BTreeMap<PathBuf, Thing>,
    work: &Path,
    is_done: bool,
) {
    let is_kept = |path: &Path| {
        path == work
            || [work.join("lock"), work.join("journal")].iter().any(|kept| path == kept)
            // A run that ended before it looked there.
            || before.get(path) == after.get(path)
    };
    let left = after.keys().filter(|path| path.parent() == Some(work) || *path == work);
    let left: Vec<_> = left.filter(|path| is_done || !is_kept(path)).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
}
