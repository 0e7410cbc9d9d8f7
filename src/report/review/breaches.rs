//! What breaks one rule.

use std::rc::Rc;

use time::OffsetDateTime;

use crate::report::access::{AccessReport, HeldVia, TypedId};
use crate::report::findings::{FindingList, FindingNote, FindingPlace};
use crate::report::model::{AccountInfo, EntitlementInfo, ResourceInfo};

use super::breach::{Breach, HolderCount, has_status};
use super::holdings::{Holding, HoldingIndex};
use super::resolve::{ResolvedHolders, ResolvedRule};
use super::rule_finding::RuleFinding;
use super::rules::{Demands, HeldWay, Severity, UnknownLogin};

/// Judges by one rule.
pub(super) struct RuleJudge<'sync> {
    /// The rule's place among all.
    pub(super) rule: usize,
    pub(super) severity: Severity,
    /// When the sync ended.
    pub(super) end: OffsetDateTime,
    pub(super) index: &'sync HoldingIndex,
}

/// Which principals meet a demand, by place.
type PrincipalSet = Vec<bool>;

/// What is demanded, worked out once for everybody.
struct ReadyDemands<'rules> {
    demands: &'rules Demands,
    /// Who may, where only some may.
    allowed: Option<PrincipalSet>,
    /// Who breaks something that is required.
    unmet: PrincipalSet,
    within: Rc<str>,
}

impl RuleJudge<'_> {
    /// Adds what breaks the rule.
    pub(super) fn judge(
        &self,
        rule: &ResolvedRule<'_>,
        access: &AccessReport,
        roles: &[Rc<ResourceInfo>],
        lists: &[FindingList],
        findings: &mut Vec<RuleFinding>,
    ) {
        match rule {
            ResolvedRule::Holders(subject) => {
                let ready = self.ready(subject, access);
                match &subject.of {
                    Some(of) => {
                        let holders = self.index.holders(of);
                        self.holders(&ready, &holders, &subject.resources, findings);
                    }
                    None => {
                        for role in roles {
                            let reference = &role.reference;
                            let grant =
                                self.index.resource(&reference.resource_type, &reference.resource);
                            let holders = grant.map_or(&[][..], |grant| grant.holders());
                            self.holders(&ready, holders, &Rc::from([role.clone()]), findings);
                        }
                    }
                }
            }
            ResolvedRule::NotTogether { sets, resources } => {
                self.together(sets, resources, findings);
            }
            ResolvedRule::Finding(query) => {
                for list in lists.iter().filter(|list| list.query == *query) {
                    findings.extend(list.places.iter().map(|place| self.found(list, place)));
                }
            }
        }
    }

    fn ready<'rules>(
        &self,
        subject: &ResolvedHolders<'rules>,
        access: &AccessReport,
    ) -> ReadyDemands<'rules> {
        let demands = subject.demands;
        let principals = &self.index.principals;
        let nobody = || vec![false; principals.len()];
        let allowed = subject.only.as_ref().map(|only| {
            let mut allowed = nobody();
            for (kind, id) in only {
                if let Some(place) = self.index.principal_place(kind, id) {
                    allowed[place as usize] = true;
                }
                let grant = self.index.resource(kind, id);
                if let Some(group) = grant.filter(|_| access.traits().of(kind).group) {
                    for holding in group.holders() {
                        allowed[holding.principal as usize] = true;
                    }
                }
            }
            allowed
        });
        let is_unmet = |account| self.unmet(demands, account).next().is_some();
        let unmet = principals.iter().map(|it| it.is_user && is_unmet(it.of.person.as_ref()));
        let within = demands.login_within.as_ref().map(ToString::to_string).unwrap_or_default();
        ReadyDemands { demands, allowed, unmet: unmet.collect(), within: within.into() }
    }

    /// What of that which is required an account doesn't meet, and how bad that is.
    fn unmet<'account>(
        &'account self,
        demands: &'account Demands,
        account: Option<&'account AccountInfo>,
    ) -> impl Iterator<Item = (Requirement, Severity)> + 'account {
        let status = demands.status.filter(|status| !has_status(account, status));
        let verified = account.and_then(|account| account.is_verified);
        let email = demands.email_verified.filter(|wanted| verified != Some(*wanted));
        let login = demands.login_within.as_ref().and_then(|within| {
            match account.and_then(|account| account.last_login) {
                Some(login) => (self.end - login > within.length).then_some(self.severity),
                None => match demands.unknown_login {
                    UnknownLogin::Warn => Some(Severity::Warning),
                    UnknownLogin::Fail => Some(self.severity),
                    UnknownLogin::Ignore => None,
                },
            }
        });
        let status = status.map(|status| (Requirement::Status(status), self.severity));
        let email = email.map(|email| (Requirement::EmailVerified(email), self.severity));
        let login = login.map(|severity| (Requirement::LoginWithin, severity));
        status.into_iter().chain(email).chain(login)
    }

    /// Judges those who hold something: all of their grants, by who.
    fn holders(
        &self,
        ready: &ReadyDemands<'_>,
        holders: &[Holding],
        resources: &Rc<[Rc<ResourceInfo>]>,
        findings: &mut Vec<RuleFinding>,
    ) {
        let mut count = 0;
        for holdings in holders.chunk_by(|one, other| one.principal == other.principal) {
            count += 1;
            self.holder(ready, holdings, findings);
        }
        let number = |bound| HolderCount { of: resources.clone(), count, bound };
        let few = ready.demands.min.filter(|min| count < *min).map(|min| Breach::Min(number(min)));
        let many = ready.demands.max.filter(|max| count > *max).map(|max| Breach::Max(number(max)));
        let resource = match &resources[..] {
            [one] => Some(one),
            _ => None,
        };
        findings.extend(few.or(many).map(|breach| RuleFinding {
            resource: resource.cloned(),
            ..self.finding(breach, None, Vec::new())
        }));
    }

    /// Judges one of them.
    fn holder(
        &self,
        ready: &ReadyDemands<'_>,
        holdings: &[Holding],
        findings: &mut Vec<RuleFinding>,
    ) {
        let Some(first) = holdings.first() else { return };
        let place = first.principal as usize;
        let principal = &self.index.principals[place];
        let mut add = |breach, of: &[Holding], severity| {
            let entitlement = self.entitlements(of);
            let finding = self.finding(breach, Some(&principal.of), entitlement);
            findings.push(RuleFinding { severity, ..finding });
        };
        if ready.allowed.as_ref().is_some_and(|allowed| !allowed[place]) {
            add(Breach::Only(self.path(first).clone()), holdings, self.severity);
        }
        if let Some(wanted) = ready.demands.held {
            let others: Vec<_> =
                holdings.iter().filter(|it| !is_held_so(self.path(it), wanted)).copied().collect();
            if let Some(other) = others.first() {
                let path = self.path(other).clone();
                add(Breach::Held(wanted, path), &others, self.severity);
            }
        }
        if ready.unmet[place] {
            for (requirement, severity) in self.unmet(ready.demands, principal.of.person.as_ref()) {
                let breach = match requirement {
                    Requirement::Status(status) => Breach::Status(status),
                    Requirement::EmailVerified(wanted) => Breach::EmailVerified(wanted),
                    Requirement::LoginWithin => Breach::LoginWithin(ready.within.clone()),
                };
                add(breach, holdings, severity);
            }
        }
    }

    /// Finds those who hold one of each.
    fn together(
        &self,
        sets: &[Vec<TypedId>],
        resources: &Rc<[Rc<ResourceInfo>]>,
        findings: &mut Vec<RuleFinding>,
    ) {
        let mut grant = vec![0; self.index.principals.len()];
        for (number, set) in sets.iter().enumerate() {
            for holding in &*self.index.holders(set) {
                let count = &mut grant[holding.principal as usize];
                if *count == number {
                    *count += 1;
                }
            }
        }
        let all = self.index.principals.iter().zip(grant).filter(|(_, grant)| *grant == sets.len());
        findings.extend(all.map(|(principal, _)| {
            self.finding(Breach::NotTogether(resources.clone()), Some(&principal.of), Vec::new())
        }));
    }

    /// A place where something was found that is worth a look anyway.
    fn found(&self, list: &FindingList, place: &FindingPlace) -> RuleFinding {
        let is_of_nobody = list.query.kind.is_of_nobody();
        let entitlement = match &place.note {
            FindingNote::Held(grant) => vec![grant.entitlement.clone()],
            _ => Vec::new(),
        };
        let principal = Some(&place.of).filter(|_| !is_of_nobody);
        let breach = Breach::Finding(list.query, Rc::new(place.note.clone()));
        RuleFinding {
            resource: Some(place.of.clone()).filter(|_| is_of_nobody),
            ..self.finding(breach, principal, entitlement)
        }
    }

    fn finding(
        &self,
        breach: Breach,
        principal: Option<&Rc<ResourceInfo>>,
        entitlements: Vec<Rc<EntitlementInfo>>,
    ) -> RuleFinding {
        RuleFinding {
            rule: self.rule,
            breach,
            severity: self.severity,
            principal: principal.cloned(),
            entitlements,
            resource: None,
            suppressed: None,
            ended: None,
        }
    }

    /// What is held, each once, in the order of ids.
    fn entitlements(&self, holdings: &[Holding]) -> Vec<Rc<EntitlementInfo>> {
        let entitlement =
            holdings.iter().map(|it| &self.index.entitlements[it.entitlement as usize]);
        let mut entitlement: Vec<_> = entitlement.cloned().collect();
        entitlement.sort_by(|one, other| one.id.cmp(&other.id));
        entitlement.dedup_by(|one, other| one.id == other.id);
        entitlement
    }

    fn path(&self, holding: &Holding) -> &Rc<HeldVia> {
        &self.index.paths[holding.path as usize]
    }
}

/// Something that is required of an account.
enum Requirement {
    Status(&'static str),
    EmailVerified(bool),
    LoginWithin,
}

/// Whether something is held as it may be. What nothing explains is held in neither way.
fn is_held_so(path: &HeldVia, wanted: HeldWay) -> bool {
    match wanted {
        HeldWay::ThroughGroup => !path.is_direct() && !path.through().is_empty(),
        HeldWay::Directly => path.is_direct() && path.through().is_empty(),
        HeldWay::Any => true,
    }
}
