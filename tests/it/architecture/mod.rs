//! The house stands as ARCHITECTURE.md draws it: every room has its floor, none knows one above
//! it, and nothing goes round in a circle.

mod further_list;
mod invariants;
mod source;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use source::Sources;

/// Who knows whom, by name.
type Graph = BTreeMap<String, BTreeSet<String>>;

fn architecture() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md")).unwrap()
}

/// The cells of ARCHITECTURE.md's table: floor, room, rooms that it knows.
fn table() -> Vec<(u8, String, BTreeSet<String>)> {
    let document = architecture();
    let table = document.split("| Floor | Room | Knows |").nth(1).unwrap();
    let table = table.split("\n\n").next().unwrap();
    let name = |text: &str| {
        text.trim().trim_matches('`').trim_end_matches(".rs").trim_end_matches('/').to_owned()
    };
    let rows = table.lines().skip(2).map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let knows = cells[3].split(',').map(name).filter(|room| !room.is_empty());
        (cells[1].parse().unwrap(), name(cells[2]), knows.collect())
    });
    rows.collect()
}

/// The floor of every room.
fn floors() -> BTreeMap<String, u8> {
    table().into_iter().map(|(floor, room, _)| (room, floor)).collect()
}

/// The room that a file is in.
fn room(path: &str) -> &str {
    path.split('/').next().unwrap().trim_end_matches(".rs")
}

#[test]
fn every_room_has_a_floor_and_every_floor_its_rooms() {
    let sources = Sources::read();
    let rooms = sources.texts().map(|(path, _)| room(path)).filter(|room| *room != "lib");
    let rooms: BTreeSet<_> = rooms.map(str::to_owned).collect();
    assert_eq!(rooms, floors().into_keys().collect());
}

#[test]
fn the_library_docs_draw_the_same_house() {
    let sources = Sources::read();
    let (_, library) = sources.texts().find(|(path, _)| *path == "lib.rs").unwrap();
    let drawn = library.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(2);
    let drawn: BTreeMap<String, u8> = drawn
        .map(|row| {
            let mut cells = row.split('|').map(str::trim);
            let floor = cells.next().unwrap().parse().unwrap();
            (cells.next().unwrap().trim_matches(['[', ']', '`']).to_owned(), floor)
        })
        .collect();
    let floors = floors();
    assert_eq!(drawn, floors.into_iter().filter(|(room, _)| room != "main").collect());
}

#[test]
fn no_file_knows_a_floor_above_its_own_not_even_in_its_tests() {
    let floors = floors();
    for dependency in Sources::read().dependencies() {
        let [from, to] = [&dependency.from, &dependency.to].map(|path| floors[room(path)]);
        assert!(to <= from, "{dependency:?}");
    }
}

#[test]
fn every_room_knows_the_rooms_that_the_architecture_says_and_none_that_knows_it() {
    let mut graph: Graph = floors().into_keys().map(|room| (room, BTreeSet::new())).collect();
    for dependency in Sources::read().dependencies().into_iter().filter(|it| !it.in_tests) {
        let [from, to] = [&dependency.from, &dependency.to].map(|path| room(path).to_owned());
        if from != to {
            graph.entry(from).or_default().insert(to);
        }
    }
    assert_eq!(graph, table().into_iter().map(|(_, room, knows)| (room, knows)).collect());
    assert_eq!(circles(&graph), Vec::<String>::new());
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = Sources::read();
    assert_eq!(sources.globs(), Vec::<String>::new());
    let mut graph = Graph::new();
    for dependency in sources.dependencies() {
        if !dependency.in_tests {
            graph.entry(dependency.from).or_default().insert(dependency.to);
        }
    }
    assert!(graph.len() > 50, "{graph:#?}");
    assert_eq!(circles(&graph), Vec::<String>::new());
}

#[test]
fn the_seam_names_no_northflank() {
    let sources = Sources::read();
    let rooms = ["report", "c1z", "work_dir", "baton"];
    let mut named: Vec<_> = sources
        .texts()
        .filter(|(path, _)| rooms.contains(&room(path)))
        // Unit tests may look below.
        .map(|(path, text)| (path, text.split("#[cfg(test)]").next().unwrap_or_default()))
        .filter(|(_, text)| text.to_lowercase().contains("northflank"))
        .map(|(path, _)| path.to_owned())
        .collect();
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/page");
    for entry in std::fs::read_dir(templates).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it != "rs")
            && std::fs::read_to_string(&path).unwrap().to_lowercase().contains("northflank")
        {
            named.push(path.display().to_string());
        }
    }
    assert_eq!(named, ["report/model/profile_keys.rs"]);
}

#[test]
fn a_type_has_a_name_of_its_own() {
    let sources = Sources::read();
    let mut files: Graph = Graph::new();
    for (path, text) in sources.texts().filter(|(path, _)| !path.ends_with("tests.rs")) {
        // Types stand at the beginning of a line; those of traits don't, nor those of tests.
        for line in text.lines() {
            let line = line.strip_prefix("pub").map_or(line, |rest| {
                rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map_or(rest, |it| it.1)
            });
            let mut words = line.trim_start_matches(' ').split([' ', '<', '(', ';', '{', ':']);
            let is_type =
                words.next().is_some_and(|it| ["struct", "enum", "trait", "type"].contains(&it));
            if let Some(name) = words.next().filter(|_| is_type && !line.starts_with("  ")) {
                files.entry(name.to_owned()).or_default().insert(path.to_owned());
            }
        }
    }
    assert!(files.len() > 300, "{}", files.len());
    // Every room has one, as is the custom in Rust; ARCHITECTURE.md says so.
    files.remove("Error");
    files.retain(|_, files| files.len() > 1);
    assert_eq!(files, Graph::new());
}

#[test]
fn a_dependency_shows_wherever_a_file_names_another() {
    let files = [
        ("lib.rs", "mod a; mod b;"),
        ("a/mod.rs", "mod one; mod two; pub use one::One; use self::two::Two as Second;"),
        ("a/one.rs", "pub struct One; fn f() { call!(\"{}\", super::two::Two::new()) }"),
        (
            "a/two.rs",
            "pub struct Two; /** [`One`](super::One) */ #[cfg(test)] mod tests { use super::*; \
             use crate::b::B; }",
        ),
        (
            "b.rs",
            "use crate::{a::{self, Second}, c}; pub type B = a::One; fn f() { c::C.std::c() }",
        ),
        ("c.rs", "pub struct C; #[cfg(test)] mod tests;"),
        (
            "c/tests.rs",
            "use crate::{a, b::B}; impl<T: a::Unknown> From<std::a::One> for super::C {}",
        ),
    ];
    let sources = Sources::new(files.map(|(path, text)| (path.to_owned(), text.to_owned())));
    let found = sources.dependencies();
    let found: Vec<_> = found.iter().map(|it| (&*it.from, &*it.to, it.in_tests)).collect();
    assert_eq!(
        found,
        [
            ("a/mod.rs", "a/one.rs", false),
            ("a/mod.rs", "a/two.rs", false),
            ("a/one.rs", "a/two.rs", false),
            ("a/two.rs", "b.rs", true),
            ("b.rs", "a/one.rs", false),
            ("b.rs", "a/two.rs", false),
            ("b.rs", "c.rs", false),
            ("c/tests.rs", "a/mod.rs", true),
            ("c/tests.rs", "b.rs", true),
            ("c/tests.rs", "c.rs", true),
        ]
    );
}

#[test]
fn a_circle_is_told_file_by_file() {
    let graph = [("a", vec!["b", "d"]), ("b", vec!["c"]), ("c", vec!["a"]), ("d", vec![])];
    let graph =
        graph.map(|(from, to)| (from.to_owned(), to.into_iter().map(str::to_owned).collect()));
    assert_eq!(circles(&Graph::from(graph)), ["a → b → c → a"]);
}

/// The shortest circle through each name that is part of one.
fn circles(graph: &Graph) -> Vec<String> {
    let mut found = BTreeMap::new();
    for start in graph.keys() {
        if let Some(circle) = circle_through(start, graph) {
            let members: BTreeSet<_> = circle.iter().cloned().collect();
            found.entry(members).or_insert_with(|| circle.join(" → "));
        }
    }
    found.into_values().collect()
}

fn circle_through(start: &String, graph: &Graph) -> Option<Vec<String>> {
    let mut ways = VecDeque::from([vec![start.clone()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in graph.get(way.last()?).into_iter().flatten() {
            let way = [&way[..], std::slice::from_ref(next)].concat();
            if next == start {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push_back(way);
            }
        }
    }
    None
}
