//! Judging a sync by rules.

use std::collections::HashSet;
use std::path::Path;
use std::rc::Rc;

use time::OffsetDateTime;

use crate::report::access::{self, AccessReport};
use crate::report::findings::{
    FindingList, FindingQuery, FindingScan, ScannedResource, linked_groups,
};
use crate::report::model::{ResourceInfo, SyncEnd};

use super::breaches::RuleJudge;
use super::error::Error;
use super::exceptions::accept;
use super::holdings::{HoldingIndex, PrincipalType};
use super::resolve::{IdResolver, ResolvedRule};
use super::rule_finding::RuleFinding;
use super::rules::RuleSet;

/// What was found, before any baseline.
pub(super) struct Judgement {
    pub(super) findings: Vec<RuleFinding>,
    pub(super) warnings: Vec<String>,
}

/// Judges a sync by rules as of `now`. `rules_file` is where they stand.
pub(super) fn judge(
    rules: &RuleSet,
    rules_file: &Path,
    access: &AccessReport,
    now: OffsetDateTime,
) -> Result<Judgement, Error> {
    let end = check_sync(rules, access, now)?;
    let mut resolver = IdResolver::new(access, rules);
    let subjects = rules.rules.iter().map(|rule| ResolvedRule::new(rule, &mut resolver));
    let subjects = subjects.collect::<Result<Vec<_>, _>>()?;
    let mistakes = std::mem::take(&mut resolver.mistakes);
    mistakes.check().map_err(|mistakes| Error::Rules { file: rules_file.to_owned(), mistakes })?;

    let queries = queries(&subjects);
    let mut scan = FindingScan::new(access, queries.iter().copied())?;
    let mut index = HoldingIndex::default();
    let kinds = access.traits();
    access.each_grant(|row| {
        scan.grant(row.grant);
        index.add(row.grant, |resource_type| {
            let traits = kinds.of(resource_type);
            PrincipalType { is_group: traits.group && !traits.user, is_user: traits.user }
        });
        Ok(())
    })?;
    index.sort();
    let needs_resources =
        !queries.is_empty() || subjects.iter().any(ResolvedRule::is_of_every_role);
    let every_role =
        if needs_resources { scan_resources(access, &index, &mut scan)? } else { Vec::new() };
    let lists = lists(&queries, scan, access)?;

    let mut findings = Vec::new();
    for (place, (rule, subject)) in rules.rules.iter().zip(&subjects).enumerate() {
        check_expanded(subject, &every_role, &index, access)?;
        let judge =
            RuleJudge { rule: place, severity: rule.severity, end: end.time, index: &index };
        judge.judge(subject, access, &every_role, &lists, &mut findings);
    }
    findings.sort_by_cached_key(|it| {
        let of = it.principal.as_ref().or(it.resource.as_ref());
        let place = of.map(|of| access::sort_key(access, &of.reference));
        (it.rule, place, it.demand(), it.entitlement_ids(), it.identity("").detail)
    });
    let mut warnings = std::mem::take(&mut resolver.warnings);
    warnings.extend(unnamed_holders(rules, &subjects, &every_role));
    warnings.extend(accept(&mut findings, rules, &mut resolver, now.date())?);
    Ok(Judgement { findings, warnings })
}

/// Warnings of those who hold what rules are about, and whom no rule can judge, as the file can't
/// name them.
fn unnamed_holders(
    rules: &RuleSet,
    subjects: &[ResolvedRule<'_>],
    every_role: &[Rc<ResourceInfo>],
) -> Vec<String> {
    let of_rules = rules.rules.iter().zip(subjects).flat_map(|(rule, subject)| {
        let resources = subject.resources().unwrap_or(every_role);
        resources.iter().filter_map(|of| {
            let count = access::counted_without_id(of)?;
            let resource = access::label_with_id(of, true);
            Some(format!("{}: {resource} is {count} or judged", rule.id))
        })
    });
    of_rules.collect()
}

/// When the sync ended, if rules may be judged by it at all.
fn check_sync(
    rules: &RuleSet,
    access: &AccessReport,
    now: OffsetDateTime,
) -> Result<SyncEnd, Error> {
    let sync = access.sync().sync();
    let unfit = |reason: String| Error::Sync { file: sync.file.clone(), reason };
    if let Some(part) = &sync.reduced_to {
        return Err(unfit(format!("its sync doesn't cover everything: {part}")));
    }
    let end = SyncEnd::parse(&sync.ended_at, sync.is_utc).ok_or_else(|| {
        unfit(format!("nobody can tell when its sync ended: {:?} is no time", sync.ended_at))
    })?;
    if end.is_after(now) {
        return Err(unfit(format!("its sync ended in the future, at {}", sync.ended_at)));
    }
    if let Some(max_age) = &rules.max_age
        && now - end.time > max_age.value.length
    {
        let ended_at = access.label().ended();
        return Err(unfit(format!(
            "its sync ended at {ended_at}, and max-age is {}",
            max_age.value
        )));
    }
    Ok(end)
}

/// What is looked for, each once.
fn queries(subjects: &[ResolvedRule<'_>]) -> Vec<FindingQuery> {
    let mut queries = Vec::new();
    for subject in subjects {
        if let ResolvedRule::Finding(query) = subject
            && !queries.contains(query)
        {
            queries.push(*query);
        }
    }
    queries
}

/// Looks at every resource of the file, and at those that only grants name. Returns all roles.
fn scan_resources(
    access: &AccessReport,
    index: &HoldingIndex,
    scan: &mut FindingScan<'_>,
) -> Result<Vec<Rc<ResourceInfo>>, access::Error> {
    let mut every_role = Vec::new();
    let mut seen = HashSet::new();
    let mut look = |of: &Rc<ResourceInfo>, linked: &[String]| {
        let traits = access.traits().of(&of.reference.resource_type);
        if traits.role {
            every_role.push(of.clone());
        }
        let (kind, id) = (&of.reference.resource_type, &of.reference.resource);
        let grant = index.resource(kind, id);
        scan.resource(&ScannedResource {
            of,
            linked,
            holds_something: index.principal_place(kind, id).is_some(),
            has_holders: grant.is_some(),
            is_held: grant.is_some_and(|grant| grant.is_held(index)),
        })
    };
    access.each_resource(|of, row| {
        seen.insert(of.reference.key());
        let traits = access.traits().of(&of.reference.resource_type);
        let linked = row.filter(|_| !traits.user && !traits.group).map(linked_groups);
        look(of, &linked.unwrap_or_default())
    })?;
    let reference = index.principals.iter().map(|it| &it.of);
    for of in reference.chain(index.resources.iter().map(|it| &it.of)) {
        if seen.insert(of.reference.key()) {
            look(of, &[])?;
        }
    }
    Ok(every_role)
}

/// What was found of each query.
fn lists(
    queries: &[FindingQuery],
    scan: FindingScan<'_>,
    access: &AccessReport,
) -> Result<Vec<FindingList>, Error> {
    let mut missing = queries.iter().map(|query| (query.kind, query.kind.missing_in(access)));
    if let Some((kind, Some(what))) = missing.find(|(_, what)| what.is_some()) {
        return Err(Error::Sync {
            file: access.sync().sync().file.clone(),
            reason: format!("it has no {what}, which {} is about", kind.id()),
        });
    }
    match queries.iter().find(|query| query.kind.is_of_logins()) {
        Some(query) if !scan.knows_logins() => Err(Error::Sync {
            file: access.sync().sync().file.clone(),
            reason: format!("it tells of no login, which {} is about", query.kind.id()),
        }),
        _ => Ok(scan.finish()),
    }
}

/// Fails where a rule is about what groups hold whose members the file doesn't say to.
fn check_expanded(
    rule: &ResolvedRule<'_>,
    every_role: &[Rc<ResourceInfo>],
    index: &HoldingIndex,
    access: &AccessReport,
) -> Result<(), Error> {
    let sync = access.sync().sync();
    // Ours says exactly who holds what: groups only explain it.
    if sync.is_utc {
        return Ok(());
    }
    let check = |(kind, id): (&str, &str)| {
        let Some(group) = index.unexpanded(kind, id) else { return Ok(()) };
        let group = access::label_with_id(group, true);
        let reason = format!(
            "{kind} {id} is held by {group}, whose members don't hold it: grants of groups \
             aren't expanded in it"
        );
        Err(Error::Sync { file: sync.file.clone(), reason })
    };
    if rule.needs_every_grant() {
        for resource in &index.resources {
            check((&resource.of.reference.resource_type, &resource.of.reference.resource))?;
        }
    }
    if rule.is_of_every_role() {
        for role in every_role {
            check((&role.reference.resource_type, &role.reference.resource))?;
        }
    }
    rule.ids().into_iter().try_for_each(check)
}
