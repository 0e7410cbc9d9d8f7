//! The state of a finished sync, `v1_sync_runs.sync_token`: a JSON object of the Go SDK's
//! syncer, which reads `version` and lets keys alone that it doesn't know. Some of ours in it
//! tell readers and later runs what no other column has room for.

use serde::{Deserialize, Serialize};

use super::organization::Organization;
use super::sync_run::{ProfileKeys, SyncRun};

/// Which connector wrote a sync.
const CONNECTOR: &str = env!("CARGO_PKG_NAME");

/// What a finished sync says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SyncToken {
    #[serde(default)]
    version: u32,
    /// Who wrote it; absent where another connector did, or this one before it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connector: Option<String>,
    /// What the sync was reduced to; absent where it covers everything. The Go SDK calls
    /// syncs `full` all the same that leave types or grants out (`pkg/sync/syncer.go`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reduced_to: Option<String>,
    /// Whose access it tells of; absent where that wasn't known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) organization: Option<Organization>,
    /// What the connector knew to tell: what a later version tells besides is no change. Absent
    /// where it isn't said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) profile_keys: Option<ProfileKeys>,
    /// The types that it covers besides those that every sync of everything has, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) types: Vec<String>,
}

impl SyncToken {
    /// Of a sync of ours.
    pub(super) fn new(run: &SyncRun) -> Self {
        Self {
            version: 1,
            connector: Some(CONNECTOR.to_owned()),
            reduced_to: run.reduced_to.clone(),
            organization: run.organization.clone(),
            profile_keys: Some(run.profile_keys.clone()),
            types: run.types.clone(),
        }
    }

    /// Of anybody's. What can't be read says nothing.
    pub(super) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_default()
    }

    /// Whether a sync that was reduced to this, with these types besides, covers the same.
    pub(super) fn covers_the_same(&self, reduced_to: Option<&str>, types: &[String]) -> bool {
        self.reduced_to.as_deref() == reduced_to && self.types == types
    }

    /// Whether the sync is provably ours.
    pub(super) fn is_ours(&self) -> bool {
        self.connector.as_deref() == Some(CONNECTOR)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sync_run::SyncType;
    use super::{Organization, ProfileKeys, SyncRun, SyncToken};
    use time::OffsetDateTime;

    #[test]
    fn what_is_written_is_read_back_and_what_others_write_is_theirs() {
        let organization = Organization::new(Some("acme".into()), None);
        for token in [
            (None, None, ProfileKeys::new()),
            (Some("types user".to_owned()), None, ProfileKeys::new()),
            (
                None,
                organization,
                ProfileKeys::from([("user".to_owned(), ["id".to_owned()].into())]),
            ),
        ]
        .map(|(reduced_to, organization, profile_keys)| {
            let (sync_id, sync_type) = (String::new(), SyncType::Full);
            let started_at = OffsetDateTime::UNIX_EPOCH;
            SyncToken::new(&SyncRun {
                sync_id,
                sync_type,
                started_at,
                reduced_to,
                organization,
                profile_keys,
                types: vec!["team".to_owned()],
            })
        }) {
            let text = serde_json::to_string(&token).unwrap();
            assert_eq!(SyncToken::parse(&text), token);
            assert!(token.is_ours());
        }
        let token = SyncToken { types: vec!["team".to_owned()], ..SyncToken::default() };
        assert!(!token.covers_the_same(None, &[]));
        assert!(SyncToken::default().covers_the_same(None, &[]));
        let theirs = r#"{"version":1,"actions":{},"should_fetch_related_resources":true}"#;
        for text in [theirs, "", "not JSON", "[]", r#"{"connector":7}"#] {
            assert!(!SyncToken::parse(text).is_ours(), "{text}");
            assert_eq!(SyncToken::parse(text).reduced_to, None);
        }
    }
}
