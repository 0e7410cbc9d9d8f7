//! One trial: an organization, a place, faulty runs, and a clean one at the end.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use fake_northflank::{Action, Endpoint, FakeNorthflank, Options, Organization, RateHeaders, Rule};

use serde_json::Value;

use super::disturbances::{Dealt, Disturbance};
use super::draw::Draw;
use super::faults::{BELOW, Fault, begun_anew};
use super::judge::{Allowed, Before, judge};
use super::model::Truth;
use super::place::{ChaosDirectory, Damage, Obstacle, thing};
use super::process::{Ended, Process, Shell, Sink};
use super::settings::{Selection, Settings};
use super::world::{self, Change, Upheaval};
use super::{Told, syncs};
use crate::harness::exit_code;
use crate::harness::reader::baton_json;
use crate::harness::{TestDir, expected};
use crate::secrets::Secret;

/// What a trial is played on.
struct Stage<'told> {
    fake: FakeNorthflank,
    options: Options,
    place: ChaosDirectory,
    secret: Secret,
    /// The organization, as it has been served since a run began to read it.
    states: Arc<Mutex<Vec<Organization>>>,
    /// The first of them that the newest run may have seen.
    since: usize,
    told: &'told Told,
    /// Whether the clean run asks for all that has to be asked for.
    asks_for_all: bool,
}

/// Plays the trial of a seed. Tells all that it draws and what comes of it.
pub(super) fn play(seed: u64, reads_with_baton: bool, told: &Told) {
    let mut draw = Draw::new(seed);
    let organization = world::organization(&mut draw);
    let options = world::options(&mut draw, &organization);
    let place = ChaosDirectory::any(&mut draw);
    let (members, roles, groups) =
        (organization.members.len(), organization.roles.len(), organization.groups.len());
    let (teams, tokens) = (organization.teams.len(), organization.tokens.len());
    told.line(format!(
        "{members} members, {roles} roles, {groups} groups, {teams} teams, {tokens} API tokens; \
         {options:?}"
    ));
    told.drawn("teams", teams.to_string());
    told.line(format!("{:?} stands at {}", place.standing, place.file.display()));
    told.drawn("place", format!("{:?}", place.standing));
    told.drawn("directory sync", format!("{:?}", options.without_directory_sync));
    let fake = FakeNorthflank::start(organization, options.clone()).unwrap();
    let secret = Secret::of(fake.token());
    let states = Arc::default();
    let asks_for_all = draw.percent(50);
    let mut stage = Stage { fake, options, place, secret, states, since: 0, told, asks_for_all };
    for number in 0..draw.number(1..=3) {
        stage.faulty_run(&mut Draw::of_part(seed, number as u64));
    }
    stage.clean_run(reads_with_baton);
}

impl Stage<'_> {
    /// A faulty run, and the verdict.
    fn faulty_run(&mut self, draw: &mut Draw) {
        let organization = self.fake.organization();
        let settings = Settings::any(draw, &organization);
        let mut shell = Shell::any(draw);
        if settings.shows_changes && shell.stdout == Sink::Stuck {
            // What is asked for is waited for.
            shell.stdout = Sink::Full;
        }
        let (damage, obstacle) = (Damage::any(draw), Obstacle::any(draw));
        let faults = draw.one(&[0, 0, 0, 0, 1, 1, 1, 2, 2, 3]);
        let faults: Vec<_> = (0..faults)
            .map(|_| Fault::any(draw, &organization, &self.options, settings.is_impatient))
            .collect();
        let disturbance = match Disturbance::any(draw) {
            // Nothing of its own may be put there.
            Disturbance::Replacement(_) | Disturbance::StrayFile(_)
                if self.place.standing.is_refused() || obstacle.is_refused() =>
            {
                Disturbance::None
            }
            disturbance => disturbance,
        };
        let is_changed = (draw.percent(40), draw.percent(25));
        let change = |draw: &mut Draw| (Change::any(draw), draw.number(0..=9_999));
        let (between, meanwhile) = (change(draw), change(draw));
        let upheaval = draw.percent(60).then(|| (Upheaval::any(draw), draw.number(0..=9_999)));
        let after = draw.magnitude(12) - 1;
        let endpoint = draw.one(&[
            Endpoint::Members,
            Endpoint::Roles,
            Endpoint::RoleMembers,
            Endpoint::Teams,
            Endpoint::TeamMembers,
            Endpoint::TeamRoles,
            Endpoint::TeamTokens,
        ]);
        let shuffle = draw.number(0..=9);
        let gone =
            draw.percent(50).then(|| (draw.one(&[400, 403, 404, 409, 410, 422]), draw.percent(50)));
        self.told.line(format!(
            "run: {settings:?}; {shell:?}; journal {damage:?}; work directory {obstacle:?}; \
             {faults:?}; {disturbance:?}; changes {is_changed:?} {between:?} {upheaval:?} {meanwhile:?} \
             {endpoint:?} after {after}; ways {shuffle}; gone as {gone:?}"
        ));
        self.tell_drawn(&settings, shell, damage, obstacle, &faults, disturbance);

        damage.happen(&self.place.journal());
        let work = self.place.work();
        let kept = obstacle.put(&work);
        let kept: Vec<_> = kept.into_iter().map(|path| (thing(&path), path)).collect();
        let page = self.options.page_size.unwrap_or(100);
        if is_changed.0 {
            self.fake.mutate(|organization| {
                between.0.happen(between.1, page, organization);
                if let Some((upheaval, number)) = upheaval {
                    upheaval.happen(number, organization);
                }
            });
        }
        let before = self.begin();
        let dealt = Dealt::new(disturbance, &self.fake, self.place.file.clone(), &work);
        for fault in &faults {
            self.fake.script(fault.rule());
        }
        if is_changed.1 {
            let states = Arc::clone(&self.states);
            let action = Action::mutate(move |organization| {
                meanwhile.0.happen(meanwhile.1, page, organization);
                states.lock().unwrap().push(organization.clone());
            });
            self.fake.script(Rule::every(endpoint, action).after(after).once());
        }
        for rule in ways(shuffle).into_iter().chain(gone.into_iter().flat_map(gone_as)) {
            self.fake.script(rule);
        }

        let former = thing(&self.place.file);
        let shell = dealt.limit(shell);
        let start = || shell.start(dealt.expose(self.connector(&settings), &self.place.room));
        let mut process = start();
        let rival = dealt.deal(&self.fake, &mut process, start);
        let ended: Vec<Ended> =
            [Some(process), rival].into_iter().flatten().map(Process::end).collect();
        self.fake.unscript();
        self.tell_ended(&ended);

        let is_changed = is_changed.0 || is_changed.1;
        let mut allowed = self.allowed(&settings, shell, obstacle, &faults, is_changed);
        // Of a team that alone is asked for the checks ask first, and it may be gone by then: that
        // a token may not read it says the same.
        if is_changed && gone.is_some() && settings.selection.names_teams() {
            allowed.codes.extend([exit_code::PERMISSION_DENIED, exit_code::UNKNOWN]);
        }
        disturbance.allow(&settings.selection, &mut allowed);
        if !self.place.standing.is_refused() {
            allowed.must_fail |= dealt.take_away(&self.place.file, &work, former);
        }
        for (content, path) in kept {
            assert!(thing(&path) == content, "somebody's {} is lost", path.display());
        }
        self.judge(&before, &ended, &settings, &allowed);
        obstacle.remove(&work);
    }

    /// Runs without any fault, until the file can only be what is served now.
    fn clean_run(&mut self, reads_with_baton: bool) {
        self.place.clear();
        let settings = Settings::plain(self.asks_for_all);
        loop {
            let before = self.begin();
            let states = self.states.lock().unwrap().len();
            let process = Shell::PLAIN.start(self.connector(&settings));
            let ended = [process.end()];
            self.told.line(format!("a clean run, of {states} states"));
            self.tell_ended(&ended);
            let is_new = self.judge(&before, &ended, &settings, &Allowed::default());
            assert!(is_new, "the clean run fails");
            if states == 1 {
                break;
            }
        }
        // It is the one that a run makes that nothing has ever happened to.
        let room = TestDir::new();
        settings.tell(room.connector_to(&self.fake)).run().expect_success();
        let newest = |path| syncs::read(path).pop().unwrap();
        let (found, expected) = (newest(&self.place.file), newest(&room.file("sync.c1z")));
        assert!(found.rows() == expected.rows(), "its rows are others than those of a first run");
        if reads_with_baton {
            self.read_with_baton();
        }
    }

    /// The real reader finds the same.
    fn read_with_baton(&self) {
        let organization = self.fake.organization();
        let grants = baton_json(&self.place.file, &["grants"]);
        let ids = grants["grants"].as_array().into_iter().flatten();
        let mut ids: Vec<_> = ids.map(|row| row["grant"]["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        let expected = if self.asks_for_all {
            expected::grants_with_teams(&organization)
        } else {
            expected::grants(&organization)
        };
        assert!(ids.iter().eq(expected.keys()), "baton shows other grants");
        self.told.drawn("read with", "baton");
    }

    /// What there is before a run, which reads from then on what no journal holds.
    fn begin(&mut self) -> Before {
        let before = Before::of(&self.place);
        let mut states = self.states.lock().unwrap();
        if !before.has_journal(&self.place) {
            states.clear();
        }
        states.push(self.fake.organization());
        states.dedup();
        self.since = states.len() - 1;
        before
    }

    fn connector(&self, settings: &Settings) -> crate::harness::Connector {
        let mut connector = settings.tell(self.place.room.connector_to(&self.fake));
        if let Some(file) = &self.place.told {
            let mut argument = std::ffi::OsString::from("--file=");
            argument.push(file);
            connector.0.arg(argument);
        }
        connector
    }

    fn judge(
        &self,
        before: &Before,
        ended: &[Ended],
        settings: &Settings,
        allowed: &Allowed,
    ) -> bool {
        let states = self.states.lock().unwrap().clone();
        let truth = Truth { states, since: self.since, selection: settings.selection.clone() };
        let is_new = judge(&self.place, before, ended, settings, allowed, &truth, &self.secret);
        if is_new {
            // What has been written is not gone on from.
            self.states.lock().unwrap().clear();
        }
        is_new
    }

    /// What a run may do, disturbances apart.
    fn allowed(
        &self,
        settings: &Settings,
        shell: Shell,
        obstacle: Obstacle,
        faults: &[Fault],
        is_changed: bool,
    ) -> Allowed {
        let mut allowed = Allowed::default();
        let is_limited = self.options.rate_limit.is_some();
        let is_told = self.options.rate_headers == RateHeaders::Always;
        // A request has five tries, of which a limit that nobody is told of may take any number.
        let mut passing = faults.iter().map(Fault::passes_after);
        let tries = passing.try_fold(0_usize, |sum, times| sum.checked_add(times?));
        if tries.is_none_or(|tries| tries > 4) || (is_limited && !is_told) {
            allowed.codes.extend(faults.iter().flat_map(Fault::codes));
        }
        // A list is begun anew three times.
        for endpoint in begun_anew() {
            let beginnings: usize = faults.iter().map(|it| it.new_beginnings(endpoint)).sum();
            if beginnings > 3 {
                allowed.codes.extend(faults.iter().flat_map(Fault::codes));
            }
        }
        // Of an altered refusal nobody can tell that it means there are no groups.
        let is_refusal = self.options.without_directory_sync.is_some_and(|status| status != 200);
        if is_refusal && faults.iter().any(|fault| fault.is_of(Endpoint::Groups)) {
            allowed.codes.insert(exit_code::UNKNOWN);
        }
        let is_refused =
            faults.iter().any(|fault| fault.codes().contains(&exit_code::RESOURCE_EXHAUSTED));
        if (is_limited && (!is_told || settings.never_waits))
            || (is_refused && settings.never_waits)
        {
            allowed.codes.insert(exit_code::RESOURCE_EXHAUSTED);
        }
        if self.place.standing.is_refused()
            || obstacle.is_refused()
            || settings.selection.names_nothing()
        {
            allowed.codes.insert(exit_code::INVALID_ARGUMENT);
            allowed.must_fail = true;
        }
        let resources = &settings.selection.resources;
        let members = self.fake.organization().members.into_iter();
        let is_unlisted =
            members.filter(|it| !it.listed).any(|it| resources.contains(&("user", it.id)));
        // What is to be synced may be gone, or only be known by what it holds.
        if !resources.is_empty() && (is_changed || is_unlisted) {
            allowed.codes.insert(exit_code::INVALID_ARGUMENT);
        }
        allowed.leaves_remains = obstacle != Obstacle::None;
        if settings.shows_changes {
            allowed.fails_after_saving = true;
            if shell.stdout != Sink::Read {
                allowed.codes.insert(exit_code::UNKNOWN);
            }
            if settings.has_no_scratch() {
                allowed.codes.insert(exit_code::INVALID_ARGUMENT);
            }
        }
        allowed
    }

    fn tell_drawn(
        &self,
        settings: &Settings,
        shell: Shell,
        damage: Damage,
        obstacle: Obstacle,
        faults: &[Fault],
        disturbance: Disturbance,
    ) {
        let told = self.told;
        for fault in faults {
            told.drawn("fault", fault.name());
        }
        told.drawn("disturbance", disturbance.name());
        told.drawn("obstacle", format!("{obstacle:?}"));
        told.drawn("journal", format!("{damage:?}").split('(').next().unwrap());
        told.drawn("standard error", format!("{:?}", shell.stderr));
        let Selection { depth, types, resources, .. } = &settings.selection;
        let asks = ["team", "team-role", "api-token"].map(|of| settings.selection.has_type(of));
        told.drawn("asks for team, team-role, api-token", format!("{asks:?}"));
        told.drawn("depth", format!("{depth:?}"));
        told.drawn(
            "selection",
            match (types.is_empty(), resources.is_empty()) {
                _ if settings.selection.names_nothing() => "a resource that is none",
                (true, true) => "all",
                (false, true) => "types",
                (true, false) => "resources",
                (false, false) => "types and resources",
            },
        );
    }

    fn tell_ended(&self, ended: &[Ended]) {
        for run in ended {
            let mut line = format!("ended: {} after {:?}", run.word(), run.took);
            for text in run.stderr.iter().flat_map(|text| text.lines()) {
                write!(line, "\n    {text}").unwrap();
            }
            self.told.line(line);
            self.told.drawn("ended", run.word());
        }
    }
}

/// What is said of what a role, group or team has that is gone.
fn gone_as((status, is_northflanks): (u16, bool)) -> [Rule; 6] {
    BELOW.map(|list| {
        let action = Action::alter(move |answer| {
            if answer.status == 404 {
                answer.status = status;
                if !is_northflanks {
                    answer.body = br#"{"message":"gone"}"#.to_vec();
                }
            }
        });
        Rule::every(list, action)
    })
}

/// How rows are served besides: twice, or in another order on each page.
fn ways(number: usize) -> Vec<Rule> {
    let rows = |alter: fn(&mut Vec<Value>)| {
        move || {
            Action::alter(move |answer| {
                // Half a surrogate pair is JSON to some only.
                let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
                    return;
                };
                let lists = body.get_mut("data").and_then(Value::as_object_mut);
                let lists = lists.into_iter().flat_map(serde_json::Map::values_mut);
                lists.filter_map(Value::as_array_mut).for_each(alter);
                answer.body = body.to_string().into_bytes();
            })
        }
    };
    let action = match number {
        0 => rows(|rows| {
            // Of those without an id nobody can tell that a row came twice.
            let again: Vec<_> = rows.iter().filter(|row| row["id"].is_string()).cloned().collect();
            rows.extend(again);
        }),
        1 => rows(|rows| rows.reverse()),
        2 => rows(|rows| {
            let middle = rows.len() / 2;
            rows.rotate_left(middle);
        }),
        _ => return Vec::new(),
    };
    let only =
        [Endpoint::Members, Endpoint::Roles, Endpoint::Groups, Endpoint::Teams, Endpoint::Tokens];
    only.into_iter().chain(BELOW).map(|list| Rule::every(list, action())).collect()
}
