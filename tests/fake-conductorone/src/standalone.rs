//! The fake as a program of its own, for whoever tries the service by hand: it hands out syncs and
//! keeps what is uploaded.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tonic::Code;

use crate::platform::{FakeConductorOne, Options};

/// What the connector has to know, as variables, and whom it has to trust.
const VARIABLES: &str = "c1.env";
const CERTIFICATE: &str = "ca.pem";

/// A fake that hands out syncs by itself.
pub struct Standalone {
    platform: FakeConductorOne,
    directory: PathBuf,
    /// Between two syncs; `None` for one sync only.
    every: Option<Duration>,
    next_sync: Option<Instant>,
    running: BTreeSet<String>,
    hellos: usize,
    violations: usize,
}

impl Standalone {
    /// Serves on a free port. What the connector needs, and what it uploads, goes into
    /// `directory`.
    pub fn start(directory: &Path, every: Option<Duration>) -> io::Result<Self> {
        let options = Options {
            next_poll: Duration::from_secs(2),
            next_heartbeat: Duration::from_secs(5),
            ..Options::default()
        };
        let platform = FakeConductorOne::start(options)?;
        fs::create_dir_all(directory)?;
        let directory = fs::canonicalize(directory)?;
        fs::write(directory.join(CERTIFICATE), platform.certificate())?;
        let variables = [
            ("BATON_CLIENT_ID", platform.client_id()),
            ("BATON_CLIENT_SECRET", platform.client_secret()),
            ("BATON_C1_API_HOST", platform.api_host()),
            ("SSL_CERT_FILE", &directory.join(CERTIFICATE).display().to_string()),
        ];
        let mut file = private(&directory.join(VARIABLES))?;
        for (name, value) in variables {
            writeln!(file, "{name}={value}")?;
        }
        Ok(Self {
            platform,
            directory,
            every,
            next_sync: Some(Instant::now()),
            running: BTreeSet::new(),
            hellos: 0,
            violations: 0,
        })
    }

    /// The fake itself.
    pub fn platform(&self) -> &FakeConductorOne {
        &self.platform
    }

    /// The file with the variables that the connector needs.
    pub fn variables(&self) -> PathBuf {
        self.directory.join(VARIABLES)
    }

    /// Hands out a sync if it is time for one. Tells what has happened since it was last called.
    pub fn step(&mut self) -> io::Result<Vec<String>> {
        let mut lines = Vec::new();
        let hellos = self.platform.hellos();
        for hello in hellos.iter().skip(self.hellos) {
            let name = hello.connector_metadata.as_ref().map(|it| it.display_name.as_str());
            lines.push(format!(
                "Hello from {}, a connector for {}",
                hello.host_id,
                name.unwrap_or_default()
            ));
        }
        self.hellos = hellos.len();
        if self.hellos > 0 && self.next_sync.is_some_and(|at| Instant::now() >= at) {
            self.next_sync = self.every.map(|every| Instant::now() + every);
            let task = self.platform.assign_sync();
            lines.push(format!("{task}: a sync is handed out"));
            self.running.insert(task);
        }
        let ended: Vec<_> =
            self.running.iter().filter(|task| self.platform.has_ended(task)).cloned().collect();
        for task in ended {
            self.running.remove(&task);
            for upload in self.platform.take_uploads(&task) {
                let file = self.directory.join(format!("{task}.c1z"));
                private(&file)?.write_all(&upload.data)?;
                lines.push(format!("{task}: uploaded {}", file.display()));
            }
            let ending = self.platform.ending(&task);
            lines.push(match ending.code {
                Code::Ok => format!("{task}: done"),
                code => format!("{task}: failed with {code:?}: {}", ending.message),
            });
        }
        let violations = self.platform.violations();
        let new = violations.iter().skip(self.violations);
        lines.extend(new.map(|what| format!("the connector did what it must not: {what}")));
        self.violations = violations.len();
        Ok(lines)
    }
}

/// A new file that only its owner may read.
fn private(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true).create(true).truncate(true).open(path)
}
