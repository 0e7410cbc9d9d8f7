//! What addresses and names stand for.

use std::collections::HashMap;

use crate::baton::find;
use crate::baton::v2::{Resource, UserTrait};
use crate::c1z::{OpenSync, RowKind};
use crate::report::model::NameIndex;

use super::error::Error;
use super::filter_kind::FilterKind;
use super::trait_index::TraitIndex;

/// The type and id of a resource.
pub(in crate::report) type TypedId = (String, String);

/// Whose address or name each of some texts is.
pub(super) struct NamedResources {
    by_text: HashMap<String, Vec<NamedResource>>,
}

/// Something that has one of the texts as its address or name.
struct NamedResource {
    id: TypedId,
    is_address: bool,
}

impl NamedResources {
    /// Looks for all of them in one go through the file.
    pub(super) fn find<'text>(
        sync: &OpenSync,
        traits: &TraitIndex,
        texts: impl IntoIterator<Item = &'text str>,
    ) -> Result<Self, Error> {
        let texts = texts.into_iter().map(|text| (key(text), Vec::new()));
        let mut by_text: HashMap<String, Vec<NamedResource>> = texts.collect();
        if by_text.is_empty() {
            return Ok(Self { by_text });
        }
        let names = NameIndex::new(sync);
        sync.each(RowKind::Resources, |_, data| {
            let resource: Resource = names.decode(data)?;
            let id = resource.id.unwrap_or_default();
            let user: Option<UserTrait> = find(&resource.annotations);
            let emails = user.map(|user| user.emails).unwrap_or_default();
            let has_addresses = traits.of(&id.resource_type).is(FilterKind::User);
            let addresses = emails.iter().filter(|_| has_addresses).map(|it| (&it.address, true));
            let id = (id.resource_type, id.resource);
            for (name, is_address) in addresses.chain([(&resource.display_name, false)]) {
                let Some(found) = by_text.get_mut(&key(name)) else { continue };
                // An address of somebody goes before the same as a name.
                if found.last().is_none_or(|last| last.id != id) {
                    found.push(NamedResource { id: id.clone(), is_address });
                }
            }
            Ok::<_, Error>(())
        })?;
        Ok(Self { by_text })
    }

    /// Who of this kind has the address `text`, or else what has that name.
    pub(super) fn of(&self, traits: &TraitIndex, kind: FilterKind, text: &str) -> Vec<TypedId> {
        let found = self.by_text.get(&key(text)).map(Vec::as_slice).unwrap_or_default();
        let of_kind: Vec<_> = found.iter().filter(|it| traits.of(&it.id.0).is(kind)).collect();
        let is_owned = of_kind.iter().any(|it| it.is_address);
        let best = of_kind.into_iter().filter(|it| it.is_address == is_owned);
        best.map(|it| it.id.clone()).collect()
    }
}

/// A text as it is compared.
fn key(text: &str) -> String {
    text.trim().to_lowercase()
}
