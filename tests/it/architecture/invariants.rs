//! What a room never does or names. ARCHITECTURE.md tells it, the sources keep it.

use super::source::Sources;

/// A sentence of ARCHITECTURE.md, and what makes it true.
struct Invariant {
    told: &'static str,
    /// The files that it is about, by how their paths from `src/` begin.
    within: &'static str,
    never: Never,
    /// Files within that may, by how their paths begin. Each one does.
    but: &'static [&'static str],
}

/// What is not done.
enum Never {
    /// Name one of these, in code that is not for tests only.
    Names(&'static [&'static str]),
    /// Import from files whose paths begin so.
    Imports(&'static str),
}

const FILES_AND_SOCKETS: Never =
    Never::Names(&["std::fs", "std::net", "tokio::fs", "tokio::net", "reqwest", "hyper"]);

const CLOCKS: Never = Never::Names(&["now_utc", "now_local", "Instant", "SystemTime", "sleep"]);

/// Along it an SDK could be cut.
const SEAM: &str = "Reports, the file, the work directory and baton's messages import nothing of \
                    Northflank or the connector";

#[rustfmt::skip]
const INVARIANTS: &[Invariant] = &[
    Invariant {
        told: "Only `cli/` names standard output and standard error; `config/log.rs` asks whether the \
               latter is a terminal",
        within: "",
        never: Never::Names(&["stdout", "stderr"]),
        but: &["cli/", "config/log.rs"],
    },
    Invariant {
        told: "In `cli/`, only `exit.rs` puts an error into words, as the line that it ends with",
        within: "cli/",
        never: Never::Names(&["with_causes"]),
        but: &["cli/exit.rs"],
    },
    Invariant {
        told: "Settings know of no command, no terminal and no log",
        within: "config/",
        never: Never::Imports("cli/"),
        but: &[],
    },
    Invariant {
        told: "Commands don't know each other; only `run.rs` does, which picks one",
        within: "cli/command/",
        never: Never::Imports("cli/command/"),
        but: &["cli/command/mod.rs", "cli/command/run.rs"],
    },
    Invariant {
        told: "No other room but `config/` names clap",
        within: "",
        never: Never::Names(&["clap", "clap_complete", "clap_mangen"]),
        but: &["cli/", "config/"],
    },
    Invariant {
        told: "No other room talks gRPC; `cli/telemetry.rs` sets up TLS for its exporter",
        within: "",
        never: Never::Names(&["tonic"]),
        but: &["service/", "cli/telemetry.rs"],
    },
    Invariant {
        told: "No other room but `demo/` serves HTTP",
        within: "",
        never: Never::Names(&["hyper", "hyper_util", "TcpListener"]),
        but: &["service/", "demo/"],
    },
    Invariant {
        told: "Reads no clock, so that a day is the same day to everybody",
        within: "demo/",
        never: CLOCKS,
        but: &[],
    },
    Invariant {
        told: "Asks nobody and writes nothing",
        within: "demo/",
        never: Never::Names(&["std::fs", "tokio::fs", "TcpStream", "reqwest"]),
        but: &[],
    },
    Invariant {
        told: "Opens no file and no socket itself, but through the rooms below",
        within: "sync/",
        never: Never::Names(&["std::fs", "std::net", "tokio::fs", "tokio::net"]),
        but: &[],
    },
    Invariant {
        told: "Opens no file and no socket: what it tells, `c1z/` reads, and `cli/` puts where it \
               belongs",
        within: "report/",
        never: FILES_AND_SOCKETS,
        but: &[],
    },
    Invariant {
        told: "Reads no clock: how long ago somebody logged in is counted from the sync's end, and the \
               same syncs are the same report",
        within: "report/",
        never: CLOCKS,
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "report/",
        never: Never::Imports("northflank/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "report/",
        never: Never::Imports("connector/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "c1z/",
        never: Never::Imports("northflank/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "c1z/",
        never: Never::Imports("connector/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "work_dir/",
        never: Never::Imports("northflank/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "work_dir/",
        never: Never::Imports("connector/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "baton/",
        never: Never::Imports("northflank/"),
        but: &[],
    },
    Invariant {
        told: SEAM,
        within: "baton/",
        never: Never::Imports("connector/"),
        but: &[],
    },
    Invariant {
        told: "Only reads: no method but GET",
        within: "northflank/",
        never: Never::Names(&["post", "put", "patch", "delete", "Method"]),
        but: &[],
    },
    Invariant {
        told: "Knows nothing of files",
        within: "northflank/",
        never: Never::Names(&["std::fs", "tokio::fs"]),
        but: &[],
    },
    Invariant {
        told: "Pure functions: no file, no socket, nothing asynchronous, no log",
        within: "connector/",
        never: Never::Names(&["std::fs", "std::net", "std::env", "async", "tokio", "reqwest", "tracing"]),
        but: &[],
    },
    Invariant {
        told: "Reads no clock: the same organization is the same messages",
        within: "connector/",
        never: CLOCKS,
        but: &[],
    },
    Invariant {
        told: "Knows neither what a record says nor what becomes of it: names no message, no model, \
               no SQL",
        within: "work_dir/",
        never: Never::Names(&["prost", "prost_types", "reqwest", "rusqlite"]),
        but: &[],
    },
    Invariant {
        told: "No other room names SQLite",
        within: "",
        never: Never::Names(&["rusqlite"]),
        but: &["c1z/"],
    },
    Invariant {
        told: "Asks nobody: no socket, nothing asynchronous",
        within: "c1z/",
        never: Never::Names(&["std::net", "tokio", "reqwest", "async"]),
        but: &[],
    },
    Invariant {
        told: "Plain data: no file, no socket, no clock",
        within: "baton/",
        never: Never::Names(&["std::fs", "std::net", "tokio", "now_utc", "Instant", "SystemTime"]),
        but: &[],
    },
];

/// The bullets of ARCHITECTURE.md's rooms, each as one line.
fn told() -> Vec<String> {
    let document = super::architecture();
    let rooms = document.split("\n## Rooms\n").nth(1).unwrap().split("\n## ").next().unwrap();
    let mut bullets: Vec<String> = Vec::new();
    let mut in_bullet = false;
    for line in rooms.lines() {
        if let Some(bullet) = line.strip_prefix("- ") {
            bullets.push(bullet.to_owned());
            in_bullet = true;
        } else if let (true, Some(rest)) = (in_bullet, line.strip_prefix("  ")) {
            let bullet = bullets.last_mut().unwrap();
            *bullet = format!("{bullet} {rest}");
        } else {
            in_bullet = false;
        }
    }
    bullets
}

#[test]
fn every_invariant_is_told_and_whatever_is_told_is_held() {
    let told = told();
    for invariant in INVARIANTS {
        let sentence = format!("{}.", invariant.told);
        assert!(told.contains(&sentence), "ARCHITECTURE.md doesn't tell: {sentence}");
    }
    let is_held = |bullet: &String| {
        INVARIANTS.iter().any(|invariant| format!("{}.", invariant.told) == *bullet)
    };
    for bullet in told.iter().filter(|bullet| !is_held(bullet)) {
        // Held by clippy, or by a test of another kind, which it names: `path::of::test`.
        let name = bullet.strip_suffix("`).").and_then(|rest| rest.rsplit_once("(`"));
        let (_, name) = name.unwrap_or_else(|| panic!("no test holds: {bullet}"));
        if name == "clippy.toml" {
            continue;
        }
        let (module, test) = name.rsplit_once("::").unwrap();
        let module = format!("tests/it/{}", module.replace("::", "/"));
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(&module);
        let source = std::fs::read_to_string(path.with_extension("rs"))
            .or_else(|_| std::fs::read_to_string(path.join("mod.rs")))
            .unwrap_or_else(|_| panic!("no {module}"));
        assert!(source.contains(&format!("fn {test}()")), "{module} has no test {test}");
    }
}

#[test]
fn every_invariant_is_kept() {
    let sources = Sources::read();
    let dependencies = sources.dependencies();
    for invariant in INVARIANTS {
        let done: Vec<(&str, &str)> = match &invariant.never {
            Never::Names(names) => sources
                .words()
                .filter(|(_, word)| names.iter().any(|name| is_within(word, name)))
                .collect(),
            Never::Imports(files) => dependencies
                .iter()
                .filter(|it| !it.in_tests && it.to.starts_with(files))
                .map(|it| (it.from.as_str(), it.to.as_str()))
                // A room may import from itself, unless it is all that is spoken of.
                .filter(|(_, to)| invariant.within == *files || !to.starts_with(invariant.within))
                .collect(),
        };
        let done = done.into_iter().filter(|(file, _)| file.starts_with(invariant.within));
        let (allowed, broken): (Vec<_>, Vec<_>) =
            done.partition(|(file, _)| invariant.but.iter().any(|but| file.starts_with(but)));
        assert!(broken.is_empty(), "{}: {broken:?}", invariant.told);
        for but in invariant.but {
            let is_used = allowed.iter().any(|(file, _)| file.starts_with(but));
            assert!(is_used, "{}: {but} doesn't either", invariant.told);
        }
    }
}

/// Whether a path names `name`, or something of it.
fn is_within(path: &str, name: &str) -> bool {
    format!("::{path}::").contains(&format!("::{name}::"))
}
