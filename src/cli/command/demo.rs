//! `demo`: a made-up organization, served on loopback within the process, is synced by the very
//! commands that sync any other.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Component, Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgMatches, value_parser};
use memchr::memmem;

use crate::c1z::{self, OpenSync, RowKind, ScratchDirectory};
use crate::cli::exit::Failure;
use crate::cli::output;
use crate::cli::pending_file::PendingFile;
use crate::cli::signal::Leftovers;
use crate::demo::{DemoDay, DemoServer, NAME, RULES, TOKEN};
use crate::private_fs;
use crate::sync;
use crate::work_dir::WorkDirectory;

/// What the demo writes.
const FILE: &str = "sync.c1z";
const PAGE: &str = "access.html";
const RULES_FILE: &str = "review.yaml";

/// What stands in every file of the demo's and in no other: no mail goes to such an address.
const MARK: &str = "ada.marlow@marlow.example";

/// What stands in its rules in place of that, whatever somebody has tried with them.
const RULES_MARK: &str = "Marlow Freight, the demo's organization";

/// The largest file and page that may be the demo's, in MiB. Both are far smaller.
const LARGEST_MIB: u64 = 4;

/// The binary of the image, where it is what the container runs.
const IN_THE_IMAGE: &str = "/baton-northflank";

/// How the image is run, with files in the directory where one stands.
const IMAGE: &str = concat!(
    "docker run --rm --user \"$(id -u):$(id -g)\" -v \"$(pwd):/out\" \
     ghcr.io/conductorone/baton-northflank:",
    env!("CARGO_PKG_VERSION")
);

/// Where the demo writes, and how it is told.
pub(crate) struct DemoArgs {
    /// None for where one stands.
    directory: Option<PathBuf>,
    log_level: String,
    /// How the program was called.
    program: OsString,
}

/// The subcommand.
pub(super) fn command() -> clap::Command {
    clap::Command::new("demo")
        .about("Sync a made-up organization, served on this machine, and tell who has access")
        .arg(
            Arg::new("directory")
                .long("directory")
                .value_name("DIRECTORY")
                .default_value(".")
                .value_parser(value_parser!(PathBuf))
                .help(
                    "Where sync.c1z, access.html and review.yaml are written; made if it isn't \
                     there",
                ),
        )
        .arg(
            Arg::new("log-level")
                .long("log-level")
                .value_name("LEVEL")
                .default_value("info")
                .ignore_case(true)
                .value_parser(PossibleValuesParser::new(["debug", "info", "warn", "error"]))
                .help("How much to log"),
        )
        .after_help(
            "No account and no token is needed, and no setting but these counts. Each further run \
             is of another day: something has changed. What isn't the demo's own is never \
             overwritten.",
        )
}

impl DemoArgs {
    /// What was typed, and as what.
    pub(super) fn from_matches(arguments: &ArgMatches, program: &OsStr) -> Self {
        let directory = arguments.get_one::<PathBuf>("directory").filter(|directory| {
            directory.components().any(|component| component != Component::CurDir)
        });
        // A name may begin with a blank or a dash; what begins with a dot or a slash is a path to
        // everybody.
        let directory = directory.map(|directory| {
            let is_clear = directory.starts_with(".");
            if is_clear { directory.clone() } else { Path::new(".").join(directory) }
        });
        Self {
            directory,
            log_level: arguments.get_one::<String>("log-level").cloned().unwrap_or_default(),
            program: program.to_owned(),
        }
    }

    /// Syncs the organization, tells who has access and what to try next. `run` does what a
    /// command line says.
    pub(super) fn play(
        &self,
        run: impl Fn(&[OsString]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Some(directory) = &self.directory {
            let failed = |source| Failure::Target { path: directory.clone(), source };
            fs::create_dir_all(directory).map_err(failed)?;
        }
        let [file, page, rules] = [FILE, PAGE, RULES_FILE].map(|name| self.path_of(name));
        let leftovers = Leftovers::watch().map_err(Failure::Runtime)?;
        let before = day_of(&file, &leftovers)?;
        check_own(&page, MARK)?;
        let has_rules = check_own(&rules, RULES_MARK)?;
        let work = WorkDirectory::beside(&file);
        if is_there(&work)? {
            return Err(Failure::Foreign(work));
        }
        // From here on it is the demo's own. What has been read is of no use to anybody: the next
        // server is another.
        leftovers.add(&work);

        let server = DemoServer::start(before.map_or(DemoDay::First, DemoDay::other));
        let server = server.map_err(Failure::Runtime)?;
        let origin = server.origin();
        output::print(
            format!("{NAME}, a made-up organization, is served at {origin}\n").as_bytes(),
        )?;
        let mut sync = words(["--northflank-base-url", &origin, "--northflank-api-token", TOKEN]);
        sync.extend(words(["--sync-teams", "--sync-secrets"]));
        // One list after the other, so that a log can be followed.
        sync.extend(words(["--workers", "0", "--log-format", "console", "--log-level"]));
        sync.extend([self.log_level.clone().into(), "--file".into(), file.clone().into()]);
        if before.is_some() {
            sync.push("--diff".into());
        }
        let outcome = run(&sync);
        if outcome.is_err() {
            drop(WorkDirectory::create(&file));
        }
        outcome?;
        let mut access = words(["access", "--format", "html", "--title", NAME, "--output"]);
        access.extend([page.into(), file.into()]);
        run(&access)?;
        // Whoever has changed them keeps them so.
        if !has_rules {
            let mut pending = PendingFile::create(&rules, &leftovers)?;
            let written = pending.writer().write_all(RULES.as_bytes());
            written.map_err(|error| pending.failed(&error))?;
            pending.persist_new()?;
        }
        output::print(self.advice(before.is_some()).as_bytes())
    }

    /// What to try next, as it can be typed where the demo was.
    fn advice(&self, has_changed: bool) -> String {
        let (program, file) = (self.program(), self.path_of(FILE));
        let [of_file, of_directory] = match &self.directory {
            None => [String::new(), String::new()],
            Some(directory) => {
                [format!(" {}", quoted(&file)), format!(" --directory {}", quoted(directory))]
            }
        };
        let mut text = format!(
            "\n{} holds what was served.\n{} tells who has access to what, and why: open it in a \
             browser.\n\nWhat to try next:\n\n",
            file.display(),
            self.path_of(PAGE).display()
        );
        let mut advise = |command: &str, why: &str| {
            let _ = writeln!(text, "  {program} {command}\n      {why}");
        };
        advise(&format!("access{of_file} --user carla-rossi"), "what one person holds, and how");
        if has_changed {
            advise(&format!("diff {}", quoted(&file)), "what has changed since the sync before");
        }
        let rules = quoted(&self.path_of(RULES_FILE));
        advise(
            &format!("review{of_file} --rules {rules}"),
            "what breaks rules of who may hold what; it ends with 21, so that a build fails",
        );
        advise(
            &format!("demo{of_directory}"),
            "another day: what has changed by then; the file keeps both syncs",
        );
        text.push_str(
            "\nThe `baton` command line reads the file, too: https://github.com/ConductorOne/baton\n\
             Your own organization, in another directory: \
             https://github.com/ConductorOne/baton-northflank#sync-your-organization\n",
        );
        text
    }

    /// Where a file of the demo's goes.
    fn path_of(&self, name: &str) -> PathBuf {
        self.directory.as_ref().map_or_else(|| name.into(), |directory| directory.join(name))
    }

    /// How the program is called in the shell that called it.
    fn program(&self) -> String {
        match self.program.to_str() {
            Some(IN_THE_IMAGE) => IMAGE.to_owned(),
            Some(program) if !program.is_empty() => quoted(Path::new(program)),
            _ => "baton-northflank".to_owned(),
        }
    }
}

/// A command line of the program's.
fn words<const COUNT: usize>(words: [&str; COUNT]) -> Vec<OsString> {
    words.map(OsString::from).into()
}

/// A path as shells take it.
fn quoted(path: &Path) -> String {
    let path = path.to_string_lossy();
    if cfg!(windows) {
        return if path.contains(' ') { format!("\"{path}\"") } else { path.into_owned() };
    }
    // Only what no argument can hold can't be quoted.
    shlex::try_quote(&path).unwrap_or_default().into_owned()
}

/// Whether anything stands at `path`, be it a link that leads nowhere.
fn is_there(path: &Path) -> Result<bool, Failure> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Failure::Target { path: path.to_owned(), source }),
    }
}

/// Whether a file stands at `path` that may be the demo's by its kind and size.
fn may_be_own(path: &Path) -> Result<bool, Failure> {
    if !is_there(path)? {
        return Ok(false);
    }
    let found = fs::symlink_metadata(path);
    let is_likely = found.is_ok_and(|it| it.is_file() && it.len() <= LARGEST_MIB << 20);
    if is_likely { Ok(true) } else { Err(Failure::Foreign(path.to_owned())) }
}

/// The day that the newest sync of the demo's file is of, if there is one.
fn day_of(file: &Path, leftovers: &Leftovers) -> Result<Option<DemoDay>, Failure> {
    if !may_be_own(file)? {
        return Ok(None);
    }
    let failed = |error| match error {
        // A place to work in is missing; of anything else it is the file that is other.
        c1z::Error::Work(_) => Failure::Sync(sync::Error::File(error)),
        _ => Failure::Foreign(file.to_owned()),
    };
    let scratch = ScratchDirectory::new().map_err(failed)?;
    leftovers.add(scratch.path());
    let newest = OpenSync::open(file, None, &scratch).map_err(failed)?;
    let holds = |id: &str| {
        let row = newest.row(RowKind::Resources, &format!("user:{id}"));
        row.map(|row| row.is_some())
    };
    let founder = newest.row(RowKind::Resources, "user:ada-marlow").map_err(failed)?;
    let is_own = founder.is_some_and(|row| memmem::find(&row, MARK.as_bytes()).is_some());
    let day = if is_own { DemoDay::of(holds).map_err(failed)? } else { None };
    day.map(Some).ok_or_else(|| Failure::Foreign(file.to_owned()))
}

/// Whether a file with the demo's mark is there, or nothing: no other may be written.
fn check_own(path: &Path, mark: &str) -> Result<bool, Failure> {
    if !may_be_own(path)? {
        return Ok(false);
    }
    let content = private_fs::read_regular(path, LARGEST_MIB)
        .map_err(|source| Failure::Target { path: path.to_owned(), source })?;
    let is_own = memmem::find(&content, mark.as_bytes()).is_some();
    if is_own { Ok(true) } else { Err(Failure::Foreign(path.to_owned())) }
}
