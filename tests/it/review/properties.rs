//! What a rule finds is what a plain loop over the grants finds, read by means of our own.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use fake_northflank::{Organization, Size};
use rand::{Rng, SeedableRng};

use super::{found, open, synced};
use crate::harness::expected::ExpectedGrant;
use crate::harness::sync_file::SyncFile;

/// What breaks a rule: demand, and who or what.
type Findings = BTreeSet<(String, String)>;

/// Everybody who holds an entitlement, and each of their grants.
fn holders<'grants>(
    grants: &'grants BTreeMap<String, ExpectedGrant>,
    entitlement: &str,
) -> BTreeMap<&'grants str, &'grants ExpectedGrant> {
    let grants = grants.values().filter(|grant| grant.entitlement == entitlement);
    let people = grants.filter(|grant| grant.principal.0 == "user");
    people.map(|grant| (grant.principal.1.as_str(), grant)).collect()
}

#[test]
fn a_rule_finds_what_a_plain_loop_over_the_grants_finds() {
    for seed in 0..4 {
        let size = Size { members: 60, roles: 7, groups: 5, memberships: 250 };
        let organization = Organization::generate(seed, size);
        let room = synced(&organization);
        let grants = SyncFile::open(&room.file("sync.c1z")).grants();
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut rules = String::from("version: 1\nrules:\n");
        let mut expected: BTreeMap<String, Findings> = BTreeMap::new();
        for (number, role) in organization.roles.iter().enumerate() {
            let all = holders(&grants, &format!("role:{}:assigned", role.id));
            let group = &organization.groups[random.random_range(0..organization.groups.len())].id;
            let members = holders(&grants, &format!("group:{group}:member"));
            let allowed: Vec<_> = all.keys().filter(|_| random.random_bool(0.5)).collect();
            let (min, max) = (random.random_range(0..20), random.random_range(20..40));
            let id = format!("r{number}");
            let named = allowed.iter().map(|id| format!("'user:{id}', ")).collect::<Vec<_>>();
            let named = named.concat();
            let direct = random.random_bool(0.5);
            let held = if direct { "directly" } else { "through-group" };
            writeln!(
                rules,
                "  - {{id: {id}, role: '{}', only: [{named}'group:{group}'], held: {held}, \
                 holders: {{min: {min}, max: {max}}}}}",
                role.id
            )
            .unwrap();
            let found = expected.entry(id).or_default();
            for (person, grant) in &all {
                if !allowed.contains(&person) && !members.contains_key(person) {
                    found.insert(("only".into(), (*person).to_owned()));
                }
                let is_direct = grant.sources.is_empty()
                    && !grant.annotations.contains(&"GrantMetadata")
                    || grant.sources.contains(&grant.entitlement);
                let is_through = grant.sources.iter().any(|it| *it != grant.entitlement);
                let is_so =
                    if direct { is_direct && !is_through } else { is_through && !is_direct };
                if !is_so {
                    found.insert(("held".into(), (*person).to_owned()));
                }
            }
            if all.len() < min {
                found.insert(("holders.min".into(), role.id.clone()));
            } else if all.len() > max {
                found.insert(("holders.max".into(), role.id.clone()));
            }
            let other = &organization.roles[(number + 1) % organization.roles.len()].id;
            let others = holders(&grants, &format!("role:{other}:assigned"));
            let both = format!("['{}', '{other}']", role.id);
            writeln!(rules, "  - {{id: t{number}, not-together: {both}}}").unwrap();
            let both = all.keys().filter(|person| others.contains_key(*person));
            let both = both.map(|person| ("not-together".into(), (*person).to_owned()));
            expected.insert(format!("t{number}"), both.collect());
        }
        let told = found(&room, &rules, &[]);
        let mut actual: BTreeMap<String, Findings> =
            expected.keys().map(|id| (id.clone(), Findings::new())).collect();
        let ids = told["findings"].as_array().unwrap().iter();
        for (id, finding) in ids.map(|it| it["rule"].as_str().unwrap()).zip(open(&told)) {
            assert!(actual.get_mut(id).unwrap().insert(finding), "twice");
        }
        assert_eq!(actual, expected, "seed {seed}");
        assert!(expected.values().map(BTreeSet::len).sum::<usize>() > 50, "nothing is found");
    }
}
