//! Whether ConductorOne answers: since when it doesn't, and what happened instead.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use time::OffsetDateTime;

/// How long nothing may be answered before the connector isn't ready. Polls are five minutes
/// apart at most, and a roll-out at ConductorOne takes a minute or two.
pub(super) const SILENCE: Duration = Duration::from_mins(5);

/// The longest that is told of an error, in bytes.
const LONGEST_ERROR: usize = 300;

/// What is known of ConductorOne. Everybody who calls it notes here what came of it.
#[derive(Debug, Default)]
pub(super) struct Contact(Mutex<ContactState>);

#[derive(Debug, Default)]
struct ContactState {
    /// When it was first asked something after its last answer.
    asked_at: Option<Instant>,
    /// What came in place of an answer since then.
    error: Option<String>,
    /// Its last answer.
    answered_at: Option<OffsetDateTime>,
}

/// How long ConductorOne hasn't answered, and what came instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unanswered {
    pub(super) time: Duration,
    pub(super) error: Option<String>,
}

impl Contact {
    /// A call begins.
    pub(super) fn call_started(&self, now: Instant) {
        self.with(|state| state.asked_at.get_or_insert(now).to_owned());
    }

    /// A call was answered as it is meant to be.
    pub(super) fn call_answered(&self) {
        self.with(|state| {
            *state = ContactState {
                answered_at: Some(OffsetDateTime::now_utc()),
                ..ContactState::default()
            };
        });
    }

    pub(super) fn call_failed(&self, error: &str) {
        self.with(|state| state.error = Some(crate::baton::shorten(error, LONGEST_ERROR)));
    }

    /// For how long nothing has been answered that was asked, if something wasn't.
    pub(super) fn unanswered(&self, now: Instant) -> Option<Unanswered> {
        self.with(|state| {
            let time = now.saturating_duration_since(state.asked_at?);
            Some(Unanswered { time, error: state.error.clone() })
        })
    }

    /// When the last answer came.
    pub(super) fn answered_at(&self) -> Option<OffsetDateTime> {
        self.with(|state| state.answered_at)
    }

    fn with<T>(&self, work: impl FnOnce(&mut ContactState) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::{Contact, Duration, Instant, Unanswered};

    #[test]
    fn silence_counts_from_the_first_question_after_the_last_answer() {
        let (contact, start) = (Contact::default(), Instant::now());
        let at = |minutes| start + Duration::from_mins(minutes);
        let silent = |minutes, error: Option<&str>| {
            let time = Duration::from_mins(minutes);
            Some(Unanswered { time, error: error.map(str::to_owned) })
        };
        assert_eq!(contact.unanswered(at(0)), None, "nothing was asked");
        contact.call_started(at(0));
        contact.call_answered();
        assert!(contact.answered_at().is_some());
        // Five minutes without a poll are no silence.
        assert_eq!(contact.unanswered(at(5)), None);
        contact.call_started(at(5));
        assert_eq!(contact.unanswered(at(7)), silent(2, None), "it hangs");
        contact.call_failed("refused");
        contact.call_started(at(8));
        assert_eq!(contact.unanswered(at(11)), silent(6, Some("refused")));
        contact.call_answered();
        assert_eq!(contact.unanswered(at(12)), None);
        contact.call_started(at(13));
        assert_eq!(contact.unanswered(at(13)), silent(0, None), "of an earlier error nothing");
    }
}
