//! A window of the rate limit, as answers tell of it: in any order, and some of them late.

use std::time::Duration;

use tokio::time::Instant;

use super::rate_headers::RateHeaders;

/// Resets are told in whole seconds; nobody says how they are rounded.
pub(super) const MARGIN: Duration = Duration::from_secs(1);

/// A window of the rate limit.
#[derive(Debug, Clone, Copy)]
pub(super) struct CountedWindow {
    pub(super) limit: u32,
    pub(super) remaining: u32,
    /// When it ends, if anybody has said.
    end: Option<WindowEnd>,
    /// Since when it is known of. Whoever asks later isn't answered from a window before it.
    known_since: Instant,
    /// Whether there was one before it.
    has_predecessor: bool,
    /// Whether an answer has told of it. If none has, it is assumed to be whole.
    is_told: bool,
}

/// Between these two times a window ends.
#[derive(Debug, Clone, Copy)]
struct WindowEnd {
    earliest: Instant,
    latest: Instant,
}

/// Of which window an answer tells.
enum WindowOrder {
    /// The one before.
    Earlier,
    Same,
    Later,
}

impl CountedWindow {
    /// What the headers of an answer tell that came at `now`, of a request sent when it was
    /// `asked`.
    pub(super) fn from_headers(
        headers: &RateHeaders,
        asked: Instant,
        now: Instant,
    ) -> Option<Self> {
        // Nobody knows at what time between the two the server looked at its clock.
        let end = headers.reset.map(|reset| WindowEnd {
            earliest: asked + reset.saturating_sub(MARGIN),
            latest: now + reset + MARGIN,
        });
        Some(Self {
            limit: headers.limit?,
            remaining: headers.remaining?,
            end,
            known_since: now,
            has_predecessor: false,
            is_told: true,
        })
    }

    /// When it has ended for sure.
    pub(super) fn end(&self) -> Option<Instant> {
        self.end.map(|end| end.latest)
    }

    /// The requests that are left, if an answer has told.
    pub(super) fn remaining_requests(&self) -> Option<u32> {
        Some(self.remaining).filter(|_| self.is_told)
    }

    /// Once it has ended there is a new one, whole.
    pub(super) fn roll_over(&mut self, now: Instant) {
        if let Some(end) = self.end().filter(|end| *end <= now) {
            *self = Self {
                limit: self.limit,
                remaining: self.limit,
                end: None,
                known_since: end,
                has_predecessor: true,
                is_told: false,
            };
        }
    }

    /// Takes over what an answer tells to a request that was sent when it was `asked`. Returns
    /// whether it tells of the window before, which is of no interest any more.
    pub(super) fn update(&mut self, from_headers: Self, asked: Instant) -> bool {
        self.roll_over(from_headers.known_since);
        match self.which(&from_headers, asked) {
            WindowOrder::Earlier => return true,
            WindowOrder::Later => *self = Self { has_predecessor: true, ..from_headers },
            WindowOrder::Same => {
                // In one window `remaining` only falls: the least that was told is the newest.
                self.remaining = self.remaining.min(from_headers.remaining);
                self.end = match (self.end, from_headers.end) {
                    (Some(known), Some(from_headers)) => Some(WindowEnd {
                        earliest: known.earliest.max(from_headers.earliest),
                        latest: known.latest.min(from_headers.latest),
                    }),
                    (known, from_headers) => known.or(from_headers),
                };
                self.is_told = true;
            }
        }
        false
    }

    fn which(&self, from_headers: &Self, asked: Instant) -> WindowOrder {
        // The request was sent before this window was known of, and maybe answered before it.
        let is_late = asked < self.known_since;
        match (self.end, from_headers.end) {
            (Some(known), Some(from_headers)) if from_headers.earliest > known.latest => {
                WindowOrder::Later
            }
            (Some(known), Some(from_headers)) if from_headers.latest < known.earliest => {
                // To somebody who asks now, the server has changed its mind.
                if is_late { WindowOrder::Earlier } else { WindowOrder::Later }
            }
            (_, Some(from_headers)) if from_headers.earliest > self.known_since => {
                WindowOrder::Same
            }
            _ if is_late && self.has_predecessor => WindowOrder::Earlier,
            // Without resets only a rise tells.
            (None, None) if from_headers.remaining > self.remaining => WindowOrder::Later,
            _ => WindowOrder::Same,
        }
    }
}
