//! The API token, which may be rotated while the process runs.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// Reads the token anew from where it came from; `None` where there is none.
pub type TokenReader = Arc<dyn Fn() -> Option<SecretString> + Send + Sync>;

/// The API token. Clones share it and what takes its place.
#[derive(Clone)]
pub struct ApiToken {
    /// Those that this process has had, the newest last. There is always one.
    all: Arc<Mutex<Vec<SecretString>>>,
    reader: Option<TokenReader>,
}

impl ApiToken {
    /// A token that comes from somewhere that can be read again.
    pub fn read_by(token: SecretString, reader: TokenReader) -> Self {
        Self { reader: Some(reader), ..Self::from(token) }
    }

    /// All that this process has had, to be kept out of texts.
    pub fn all(&self) -> Vec<SecretString> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The one that is used now.
    pub(super) fn newest(&self) -> SecretString {
        self.all().pop().unwrap_or_default()
    }

    /// Whether another has taken the place of one that was refused: it is read anew for that,
    /// unless somebody else has done so.
    pub(super) async fn has_successor(&self, refused: &SecretString) -> bool {
        if !is_same(&self.newest(), refused) {
            return true;
        }
        let Some(reader) = self.reader.clone() else { return false };
        // A file may be somewhere that answers slowly.
        let read = tokio::task::spawn_blocking(move || reader()).await;
        let Some(token) = read.ok().flatten() else { return false };
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if all.iter().any(|known| is_same(known, &token)) {
            // Two who were refused at once both read it.
            return all.last().is_some_and(|newest| !is_same(newest, refused));
        }
        all.push(token);
        drop(all);
        tracing::info!(
            "Northflank refused the API token; its file holds another, which is used now"
        );
        true
    }
}

#[expect(clippy::disallowed_methods, reason = "compared with its successor")]
fn is_same(one: &SecretString, other: &SecretString) -> bool {
    one.expose_secret() == other.expose_secret()
}

impl From<SecretString> for ApiToken {
    fn from(token: SecretString) -> Self {
        Self { all: Arc::new(Mutex::new(vec![token])), reader: None }
    }
}

impl From<&str> for ApiToken {
    fn from(token: &str) -> Self {
        SecretString::from(token).into()
    }
}

impl fmt::Debug for ApiToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ApiToken").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiToken, Arc, SecretString};
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test]
    async fn a_refused_token_is_read_anew_and_one_that_is_no_other_stays_refused() {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let reader = move || match counted.fetch_add(1, Ordering::Relaxed) {
            0 => Some("old".into()),
            1 => None,
            _ => Some("new".into()),
        };
        let token = ApiToken::read_by("old".into(), Arc::new(reader));
        let old = SecretString::from("old");
        assert!(!token.has_successor(&old).await, "the file holds the same");
        assert!(!token.has_successor(&old).await, "there is no file");
        assert!(token.has_successor(&old).await);
        // Whoever was refused with the old one just takes the new one.
        assert!(token.has_successor(&old).await);
        assert_eq!(reads.load(Ordering::Relaxed), 3);
        assert!(!token.has_successor(&"new".into()).await);
        assert_eq!(token.all().len(), 2);
        assert!(!ApiToken::from("fixed").has_successor(&"fixed".into()).await);
        assert!(!format!("{token:?}").contains("new"));
    }
}
