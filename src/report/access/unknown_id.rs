//! What was probably meant by an id that the file doesn't have.

use crate::baton::find;
use crate::baton::v2::{Resource, UserTrait};
use crate::c1z::{OpenSync, RowKind};
use crate::report::model::NameIndex;
use crate::suggest::Suggestions;

use super::error::Error;
use super::filter_kind::FilterKind;
use super::trait_index::TraitIndex;

/// A text that names nothing.
pub(super) struct UnknownId<'sync> {
    pub(super) sync: &'sync OpenSync,
    pub(super) traits: &'sync TraitIndex,
    /// What it may be.
    pub(super) kinds: &'sync [FilterKind],
    /// Whether it may be of whatever type it names besides.
    pub(super) takes_any_type: bool,
    pub(super) text: &'sync str,
}

impl UnknownId<'_> {
    /// That there is nothing of it, and maybe what is nearest.
    pub(super) fn error(&self, with_nearest: bool) -> Result<Error, Error> {
        let (resource_type, wanted) = self.split();
        let is_of_kind = |id: &str| self.kinds.iter().any(|kind| self.traits.of(id).is(*kind));
        let is_meant = |id: &str| match resource_type {
            Some(only) => id == only && (self.takes_any_type || is_of_kind(id)),
            None => is_of_kind(id),
        };
        let mut near = Suggestions::to(wanted);
        let names = NameIndex::new(self.sync);
        let offer = |_: &str, data: &[u8]| {
            let resource: Resource = names.decode(data)?;
            let id = resource.id.unwrap_or_default();
            if is_meant(&id.resource_type) {
                let user: Option<UserTrait> = find(&resource.annotations);
                let emails = user.map(|user| user.emails).unwrap_or_default();
                let addresses = emails.iter().map(|email| email.address.as_str());
                // What belongs to something may be called without it.
                let own = id.resource.rsplit('/').next();
                let others = addresses.chain([resource.display_name.as_str()]).chain(own);
                near.offer(&id.resource, others);
            }
            Ok::<_, Error>(())
        };
        if with_nearest {
            self.sync.each(RowKind::Resources, offer)?;
        }
        let kinds: Vec<_> = self.kinds.iter().map(ToString::to_string).collect();
        let what = match resource_type {
            Some(only) if self.takes_any_type => only.to_owned(),
            _ => kinds.join(" or "),
        };
        let (file, text) = (self.sync.sync().file.clone(), self.text.to_owned());
        Ok(Error::Unknown { file, what, text, near })
    }

    /// The type that the text begins with, if it does, and the id.
    fn split(&self) -> (Option<&str>, &str) {
        let mut places = self.text.match_indices([':', '/']).map(|(at, _)| at);
        match places.find(|at| self.traits.has(&self.text[..*at])) {
            Some(at) => (Some(&self.text[..at]), &self.text[at + 1..]),
            None => (None, self.text),
        }
    }
}
