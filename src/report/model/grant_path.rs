//! How somebody holds something.

use prost_types::Any;
use prost_types::value::Kind;

use crate::baton::find;
use crate::baton::v2::{GrantMetadata, GrantSources};

use super::profile_keys::MEMBERSHIP;

/// How somebody holds an entitlement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GrantPath {
    /// Whether it is held directly, maybe besides.
    pub direct: bool,
    /// The ids of the other entitlements that it is held through.
    pub through: Vec<String>,
    /// The source system's own word for a membership that nothing explains.
    pub membership: Option<String>,
}

/// A grant's part that says how it is held: everything else in it costs time.
#[derive(Clone, PartialEq, prost::Message)]
struct GrantPathMessage {
    #[prost(message, repeated, tag = "4")]
    annotations: Vec<Any>,
    #[prost(message, optional, tag = "5")]
    sources: Option<GrantSources>,
}

impl GrantPath {
    /// What a grant's sources and annotations say of `entitlement`.
    pub fn new(entitlement: &str, sources: Option<&GrantSources>, annotations: &[Any]) -> Self {
        let sources = || sources.into_iter().flat_map(|sources| sources.sources.keys());
        let membership = membership(annotations);
        let through: Vec<_> = sources().filter(|source| *source != entitlement).cloned().collect();
        Self {
            direct: sources().any(|source| source == entitlement)
                || (through.is_empty() && membership.is_none()),
            through,
            membership,
        }
    }

    /// What the encoded grant `data` says of `entitlement`.
    pub fn decode(entitlement: &str, data: &[u8]) -> Result<Self, prost::DecodeError> {
        let grant: GrantPathMessage = prost::Message::decode(data)?;
        Ok(Self::new(entitlement, grant.sources.as_ref(), &grant.annotations))
    }

    /// One word: `through`, `direct+through`, the source's own, or what a grant that is held
    /// by itself is called.
    pub fn word<'word>(&'word self, by_itself: &'word str) -> &'word str {
        match (self.direct, &self.through[..], &self.membership) {
            (true, [], _) => by_itself,
            (true, _, _) => "direct+through",
            (false, [], Some(word)) => word,
            (false, _, _) => "through",
        }
    }
}

/// In words: `direct and through group Engineering`. `through` are what it is held through, as
/// people call them; a source's own word counts where it is held neither directly nor through
/// anything.
pub fn in_words(
    direct: Option<&str>,
    membership: Option<&str>,
    through: impl IntoIterator<Item = String>,
) -> String {
    let through: Vec<_> = through.into_iter().map(|source| format!("through {source}")).collect();
    let by_itself = by_itself(direct, membership, !through.is_empty()).map(str::to_owned);
    by_itself.into_iter().chain(through).collect::<Vec<_>>().join(" and ")
}

/// What it is called as far as it is held by itself; a source's own word counts where it is held
/// neither directly nor through anything.
pub fn by_itself<'word>(
    direct: Option<&'word str>,
    membership: Option<&'word str>,
    is_through: bool,
) -> Option<&'word str> {
    direct.or(membership.filter(|_| !is_through))
}

/// The source system's own word for a membership that nothing explains.
fn membership(annotations: &[Any]) -> Option<String> {
    let metadata = find::<GrantMetadata>(annotations)?.metadata?;
    match metadata.fields.get(MEMBERSHIP)?.kind.as_ref()? {
        Kind::StringValue(word) if !word.is_empty() => Some(word.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::{GrantPath, in_words};
    use crate::baton::v2::Grant;
    use crate::connector::{GROUP_MEMBER, GrantBuilder, HeldThrough, ROLE_ASSIGNED};

    const ID: &str = "role:core:assigned";

    fn how(through: HeldThrough<'_>, groups: &[&str]) -> GrantPath {
        let groups: Vec<_> = groups.iter().map(|id| GrantBuilder::new(&GROUP_MEMBER, id)).collect();
        let groups: Vec<_> = groups.iter().collect();
        let grant = GrantBuilder::new(&ROLE_ASSIGNED, "core").user_grant("ada", through, &groups);
        GrantPath::decode(ID, &grant.encode_to_vec()).unwrap()
    }

    #[test]
    fn a_grant_is_held_directly_through_something_both_or_in_the_sources_own_word() {
        let words = |how: GrantPath| (how.word("direct").to_owned(), how.through);
        let (g, h) = ("group:g:member".to_owned(), "group:h:member".to_owned());
        assert_eq!(words(how(HeldThrough::Assignment, &[])), ("direct".into(), vec![]));
        assert_eq!(
            words(how(HeldThrough::Groups, &["h", "g"])),
            ("through".into(), vec![g.clone(), h])
        );
        assert_eq!(words(how(HeldThrough::Assignment, &["g"])), ("direct+through".into(), vec![g]));
        assert_eq!(
            words(how(HeldThrough::Unexplained("implicit"), &[])),
            ("implicit".into(), vec![])
        );
        // A grant that says nothing is one that somebody gave.
        let plain = GrantPath::decode(ID, &Grant::default().encode_to_vec()).unwrap();
        assert_eq!(words(plain), ("direct".into(), vec![]));
    }

    #[test]
    fn ways_read_as_a_phrase() {
        let groups = ["group Engineering".to_owned(), "group On call".to_owned()];
        assert_eq!(
            in_words(Some("direct"), Some("implicit"), groups.clone()),
            "direct and through group Engineering and through group On call"
        );
        assert_eq!(in_words(None, Some("implicit"), []), "implicit");
        let one = groups.into_iter().take(1);
        assert_eq!(in_words(None, Some("implicit"), one), "through group Engineering");
    }
}
