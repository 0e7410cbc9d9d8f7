//! What the ids of rules stand for in a sync.

use std::rc::Rc;

use crate::report::access::{self, AccessReport, FilterKind, IdFinder, TypedId};
use crate::report::findings::FindingQuery;
use crate::report::model::ResourceInfo;

use super::position::RuleMistakes;
use super::rules::{Demands, HeldSubject, Located, Rule, RuleSet, RuleSubject};

/// What may hold something, and what may be held.
pub(super) const PRINCIPALS: [FilterKind; 2] = [FilterKind::User, FilterKind::Group];
pub(super) const HELD: [FilterKind; 2] = [FilterKind::Role, FilterKind::Group];

/// A rule, with what its ids stand for.
pub(super) enum ResolvedRule<'rules> {
    /// Those who hold any of these.
    Holders(ResolvedHolders<'rules>),
    /// Those who hold one of each.
    NotTogether {
        /// What each id stands for.
        sets: Vec<Vec<TypedId>>,
        /// What the ids' resources are called.
        resources: Rc<[Rc<ResourceInfo>]>,
    },
    /// What is worth a look anyway.
    Finding(FindingQuery),
}

/// What is held, and what is demanded of those who do.
pub(super) struct ResolvedHolders<'rules> {
    /// What; `None` stands for every role, each by itself.
    pub(super) of: Option<Vec<TypedId>>,
    /// What it is called.
    pub(super) resources: Rc<[Rc<ResourceInfo>]>,
    pub(super) demands: &'rules Demands,
    /// The only ones who may, and groups that stand for their members.
    pub(super) only: Option<Vec<TypedId>>,
}

impl<'rules> ResolvedRule<'rules> {
    pub(super) fn new(
        rule: &'rules Rule,
        resolver: &mut IdResolver<'_>,
    ) -> Result<Self, access::Error> {
        let (grant, demands) = match &rule.subject {
            RuleSubject::Finding(query) => return Ok(Self::Finding(*query)),
            RuleSubject::NotTogether(ids) => {
                let sets = ids.iter().map(|id| resolver.subject(id, &HELD));
                let sets = sets.collect::<Result<Vec<_>, _>>()?;
                for (number, (id, set)) in ids.iter().zip(&sets).enumerate() {
                    if set.iter().any(|one| sets[..number].iter().flatten().any(|it| it == one)) {
                        let text = format!("{:?} stands for the same as another id", id.value);
                        resolver.mistakes.add(id.at, text);
                    }
                }
                let resources = resolver.resources(sets.iter().flatten())?;
                return Ok(Self::NotTogether { sets, resources });
            }
            RuleSubject::Holders(grant, demands) => (grant, &**demands),
        };
        let of = match grant {
            HeldSubject::Roles(ids) => Some(resolver.subjects(ids, &[FilterKind::Role])?),
            HeldSubject::Groups(ids) => Some(resolver.subjects(ids, &[FilterKind::Group])?),
            HeldSubject::AnyRole => None,
        };
        let resources = resolver.resources(of.iter().flatten())?;
        let place = format!("only of {}", rule.id);
        let only = demands.only.as_ref().map(|ids| {
            let allowed = ids.iter().map(|id| resolver.allowed_holder(id, &place));
            Ok::<_, access::Error>(allowed.collect::<Result<Vec<_>, _>>()?.concat())
        });
        let only = only.transpose()?;
        Ok(Self::Holders(ResolvedHolders { of, resources, demands, only }))
    }

    /// Whether it is about every role.
    pub(super) fn is_of_every_role(&self) -> bool {
        matches!(self, Self::Holders(ResolvedHolders { of: None, .. }))
    }

    /// What those hold whom it judges; `None` stands for every role.
    pub(super) fn resources(&self) -> Option<&[Rc<ResourceInfo>]> {
        match self {
            Self::Holders(ResolvedHolders { of: None, .. }) => None,
            Self::Holders(ResolvedHolders { resources, .. })
            | Self::NotTogether { resources, .. } => Some(resources),
            Self::Finding(_) => Some(&[]),
        }
    }

    /// Whether it is about whatever is held.
    pub(super) fn needs_every_grant(&self) -> bool {
        matches!(self, Self::Finding(query) if query.kind.is_of_grants())
    }

    /// Whatever it names that can be held.
    pub(super) fn ids(&self) -> Vec<(&str, &str)> {
        let ids: Vec<&TypedId> = match self {
            Self::Holders(ResolvedHolders { of, only, .. }) => {
                of.iter().flatten().chain(only.iter().flatten()).collect()
            }
            Self::NotTogether { sets, .. } => sets.iter().flatten().collect(),
            Self::Finding(_) => Vec::new(),
        };
        ids.into_iter().map(|(kind, id)| (kind.as_str(), id.as_str())).collect()
    }
}

/// Finds what ids stand for. What the file doesn't have is a mistake in what is judged, and a
/// warning in what is allowed: there it can only make things stricter.
pub(super) struct IdResolver<'access> {
    access: &'access AccessReport,
    finder: IdFinder<'access>,
    pub(super) mistakes: RuleMistakes,
    pub(super) warnings: Vec<String>,
}

impl<'access> IdResolver<'access> {
    /// A resolver of all ids that stand in `rules`.
    pub(super) fn new(access: &'access AccessReport, rules: &'access RuleSet) -> Self {
        let finder = IdFinder::new(access, rules.ids().collect());
        Self { access, finder, mistakes: RuleMistakes::default(), warnings: Vec::new() }
    }

    /// What `ids` stand for, of any of these kinds, each once.
    pub(super) fn subjects(
        &mut self,
        ids: &[Located<String>],
        kinds: &[FilterKind],
    ) -> Result<Vec<TypedId>, access::Error> {
        let mut all = Vec::new();
        for id in ids {
            for found in self.subject(id, kinds)? {
                if !all.contains(&found) {
                    all.push(found);
                }
            }
        }
        Ok(all)
    }

    /// What resources are called.
    fn resources<'id>(
        &self,
        ids: impl Iterator<Item = &'id TypedId>,
    ) -> Result<Rc<[Rc<ResourceInfo>]>, access::Error> {
        ids.map(|(kind, id)| self.access.resource(kind, id)).collect()
    }

    /// What an id stands for, of any of these kinds.
    pub(super) fn subject(
        &mut self,
        id: &Located<String>,
        kinds: &[FilterKind],
    ) -> Result<Vec<TypedId>, access::Error> {
        match self.finder.find(kinds, &id.value) {
            Ok(found) => Ok(found),
            Err(error) if error.is_about_what_was_asked_for() => {
                self.mistakes.add(id.at, error.to_string());
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }

    /// Who may hold something by an id, which a role doesn't.
    fn allowed_holder(
        &mut self,
        id: &Located<String>,
        place: &str,
    ) -> Result<Vec<TypedId>, access::Error> {
        let found = self.allowed(id, &PRINCIPALS, place)?;
        let is_role = |(kind, _): &TypedId| {
            let traits = self.access.traits().of(kind);
            traits.role && !traits.user && !traits.group
        };
        if found.iter().any(is_role) {
            let text = "is a role: it doesn't stand for those who hold it";
            self.warnings.push(format!("{place}, line {}: {:?} {text}", id.at.line, id.value));
        }
        Ok(found)
    }

    /// Whom or what an id stands for, of these kinds or by its type; nothing where the file has
    /// none of it.
    pub(super) fn allowed(
        &mut self,
        id: &Located<String>,
        kinds: &[FilterKind],
        place: &str,
    ) -> Result<Vec<TypedId>, access::Error> {
        match self.finder.find_or_typed(kinds, &id.value) {
            Ok(found) => Ok(found),
            Err(error) if error.is_about_what_was_asked_for() => {
                self.warnings.push(format!("{place}, line {}: {error}", id.at.line));
                Ok(Vec::new())
            }
            Err(error) => Err(error),
        }
    }
}
