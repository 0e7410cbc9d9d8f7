//! What ids stand for that may be of several kinds.

use super::access_report::AccessReport;
use super::error::Error;
use super::filter::FilterSearch;
use super::filter_kind::FilterKind;
use super::named_resources::{NamedResources, TypedId};
use super::unknown_id::UnknownId;

/// For how many texts that name nothing the nearest ids are told: each is a go through the file.
const MOST_SUGGESTIONS: usize = 20;

/// Finds what each of many texts names. Where one of them is no id, addresses and names are looked
/// for in one go through the file, for all of them.
pub(in crate::report) struct IdFinder<'access> {
    access: &'access AccessReport,
    texts: Vec<&'access str>,
    names: Option<NamedResources>,
    suggested: usize,
}

impl<'access> IdFinder<'access> {
    /// A finder of these texts.
    pub(in crate::report) fn new(access: &'access AccessReport, texts: Vec<&'access str>) -> Self {
        Self { access, texts, names: None, suggested: 0 }
    }

    /// The resources that `text` names, of any of these kinds: by id, by type and id, by an e-mail
    /// address, or by a name that nothing else of them has.
    pub(in crate::report) fn find(
        &mut self,
        kinds: &[FilterKind],
        text: &str,
    ) -> Result<Vec<TypedId>, Error> {
        self.find_of(kinds, text, false)
    }

    fn find_of(
        &mut self,
        kinds: &[FilterKind],
        text: &str,
        takes_any_type: bool,
    ) -> Result<Vec<TypedId>, Error> {
        let mut found: Vec<TypedId> = Vec::new();
        for kind in kinds {
            for id in search(self.access, *kind).find_by_id(text)? {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        if !found.is_empty() {
            return Ok(found);
        }
        let names = if let Some(names) = self.names.take() {
            names
        } else {
            let texts = self.texts.iter().copied();
            NamedResources::find(self.access.sync(), self.access.traits(), texts)?
        };
        let names = self.names.insert(names);
        for kind in kinds {
            found.extend(search(self.access, *kind).find_by_name(text, names)?);
        }
        match (&found[..], kinds) {
            ([], _) => Err(self.unknown(kinds, text, takes_any_type)?),
            ([_, _, ..], [kind, ..]) => {
                let file = self.access.sync().sync().file.clone();
                let ids = found.into_iter().map(|(kind, id)| format!("{kind}:{id}")).collect();
                Err(Error::Ambiguous { file, kind: *kind, text: text.to_owned(), ids })
            }
            _ => Ok(found),
        }
    }

    /// The resources that `text` names, of these kinds as above, or whatever has that type and id.
    pub(in crate::report) fn find_or_typed(
        &mut self,
        kinds: &[FilterKind],
        text: &str,
    ) -> Result<Vec<TypedId>, Error> {
        for (at, _) in text.match_indices([':', '/']) {
            let (resource_type, id) = (&text[..at], &text[at + 1..]);
            if search(self.access, FilterKind::User).is_there(resource_type, id)? {
                return Ok(vec![(resource_type.to_owned(), id.to_owned())]);
            }
        }
        self.find_of(kinds, text, true)
    }

    /// That `text` names nothing, with what is nearest for the first ones.
    fn unknown(
        &mut self,
        kinds: &[FilterKind],
        text: &str,
        takes_any_type: bool,
    ) -> Result<Error, Error> {
        let is_told = self.suggested < MOST_SUGGESTIONS;
        self.suggested += 1;
        let (sync, traits) = (self.access.sync(), self.access.traits());
        UnknownId { sync, traits, kinds, takes_any_type, text }.error(is_told)
    }
}

fn search(access: &AccessReport, kind: FilterKind) -> FilterSearch<'_> {
    FilterSearch { sync: access.sync(), traits: access.traits(), kind }
}
