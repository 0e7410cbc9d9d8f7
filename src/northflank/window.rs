//! The rate window: how many requests Northflank still accepts before its reset.

use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::HeaderMap;

/// What the newest answer said of the rate window (`x-ratelimit-*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Requests that the window allows in all.
    pub limit: u32,
    /// Requests left in it.
    pub remaining: u32,
}

/// The newest [`Window`], shared by all requests of a client.
#[derive(Debug, Default)]
pub(super) struct NewestWindow(AtomicU64);

impl NewestWindow {
    /// Takes over what an answer says. Answers arrive in any order; the display that reads
    /// this may lag by as many requests as are under way.
    pub(super) fn observe(&self, headers: &HeaderMap) {
        let number = |name: &str| -> Option<u32> {
            headers.get_all(name).iter().find_map(|value| value.to_str().ok()?.trim().parse().ok())
        };
        if let (Some(limit), Some(remaining)) =
            (number("x-ratelimit-limit"), number("x-ratelimit-remaining"))
        {
            // A limit of zero would read as "nothing known"; no server means it.
            self.0.store(u64::from(limit) << 32 | u64::from(remaining), Ordering::Relaxed);
        }
    }

    /// The newest window, if any answer has told.
    pub(super) fn get(&self) -> Option<Window> {
        let packed = self.0.load(Ordering::Relaxed);
        let limit = u32::try_from(packed >> 32).ok().filter(|limit| *limit > 0)?;
        let remaining = u32::try_from(packed & u64::from(u32::MAX)).ok()?;
        Some(Window { limit, remaining })
    }
}

#[cfg(test)]
mod tests {
    use super::{NewestWindow, Window};
    use reqwest::header::{HeaderMap, HeaderValue};

    #[test]
    fn the_first_valid_value_of_each_header_counts() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-limit", "garbage"),
            ("x-ratelimit-limit", "1000"),
            ("x-ratelimit-remaining", "997"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let window = NewestWindow::default();
        assert_eq!(window.get(), None);
        window.observe(&headers);
        let expected = Window { limit: 1000, remaining: 997 };
        assert_eq!(window.get(), Some(expected));
        window.observe(&HeaderMap::new());
        assert_eq!(window.get(), Some(expected), "an answer without headers tells nothing");
    }
}
