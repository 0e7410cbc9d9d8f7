//! Exit codes stand in one list, and every other text keeps to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::Room;
use crate::harness::daemon::{Daemon, fakes};
use fake_conductorone::{Code, Fault, Method, Rule};

fn read(path: &str) -> String {
    std::fs::read_to_string(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The list, as help shows it.
fn list() -> BTreeMap<String, String> {
    let room = Room::new();
    let help = room.connector().arguments(["--help"]).run().stdout().to_owned();
    let list = help.split("Exit codes:\n").nth(1).unwrap().to_owned();
    // Lines that go on are indented like those that begin.
    let mut entries: Vec<String> = Vec::new();
    for line in list.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with(|char: char| char.is_ascii_digit()) {
            entries.push(line.to_owned());
        } else if let Some(entry) = entries.last_mut() {
            *entry = format!("{entry} {line}");
        }
    }
    let pairs = entries.iter().map(|entry| entry.split_once(": ").unwrap());
    pairs.map(|(codes, meaning)| (codes.to_owned(), meaning.to_owned())).collect()
}

fn codes(list: impl IntoIterator<Item = impl AsRef<str>>) -> BTreeSet<i32> {
    let words = |codes: &str| codes.split(',').map(|it| it.trim().parse().unwrap()).collect();
    list.into_iter().flat_map(|codes| -> Vec<i32> { words(codes.as_ref()) }).collect()
}

#[test]
fn the_page_of_settings_has_the_same_list_and_no_other_text_has_another_code() {
    let list = list();
    assert!(list.len() >= 14, "{list:#?}");
    let page = read("docs/settings.md");
    let table = page.split("| Code | Meaning |\n").nth(1).unwrap();
    let rows = table.lines().skip(1).take_while(|line| line.starts_with('|'));
    let rows = rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        (cells[1].to_owned(), cells[2].replace('`', ""))
    });
    assert_eq!(rows.collect::<BTreeMap<_, _>>(), list);

    let listed = codes(list.keys());
    let page = read("docs/connector.mdx");
    let table = page.split("| The message says | Exit code |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let told = codes(rows.map(|row| row.split('|').nth(2).unwrap()));
    assert!(told.len() > 5 && told.is_subset(&listed), "{told:?}");
    let unit = read("deploy/systemd/baton-northflank.service");
    let prevented = unit.lines().find_map(|line| line.strip_prefix("RestartPreventExitStatus="));
    assert!(codes(prevented.unwrap().split(' ')).is_subset(&listed));
    let refusals = unit.split("A refusal by ConductorOne (").nth(1).unwrap();
    let refusals = codes([refusals.split(')').next().unwrap()]);
    assert_eq!(refusals, BTreeSet::from([5, 7, 9, 12, 16]));
    assert!(refusals.is_subset(&listed));
}

#[test]
fn whatever_code_a_refusal_by_conductorone_ends_a_service_with_is_in_the_list() {
    let listed = codes(list().keys());
    let refusals = [
        Code::Unauthenticated,
        Code::PermissionDenied,
        Code::InvalidArgument,
        Code::Unimplemented,
        Code::FailedPrecondition,
        Code::NotFound,
    ];
    for refusal in refusals {
        let (platform, northflank) = fakes();
        platform.script(Rule::every(Method::Hello, Fault::Refuse(refusal)));
        let (code, log, _) = Daemon::start(&platform, &northflank).wait();
        let code = code.unwrap();
        assert_eq!(code, refusal as i32, "{log}");
        assert!(listed.contains(&code), "{code}: {listed:?}");
    }
}
