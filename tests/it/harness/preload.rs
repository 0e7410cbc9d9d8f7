//! Libraries that stand between the connector and libc.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::Connector;

/// A library of a single C file of this directory.
pub struct Library {
    name: &'static str,
    path: OnceLock<PathBuf>,
}

impl Library {
    pub const fn new(name: &'static str) -> Self {
        Self { name, path: OnceLock::new() }
    }

    /// Where it is, built once by each test binary.
    fn path(&self) -> &Path {
        self.path.get_or_init(|| {
            let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
            let built = directory.join(format!("{}-{}.so", self.name, std::process::id()));
            let library = directory.join(format!("{}.so", self.name));
            let harness = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/harness"));
            let source = harness.join(self.name).with_extension("c");
            let status = Command::new("cc")
                .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-o"])
                .args([built.as_os_str(), source.as_ref(), "-ldl".as_ref()])
                .status();
            assert!(status.unwrap().success(), "the C compiler failed");
            // Another test binary may use the old one at this moment.
            std::fs::rename(built, &library).unwrap();
            library
        })
    }
}

/// The connector with a library, besides those that it has.
pub fn preload(connector: Connector, library: &Library) -> Connector {
    let others = connector.0.get_envs().find(|(name, _)| *name == "LD_PRELOAD");
    let mut libraries = others.and_then(|(_, value)| value).map_or_else(OsString::new, |others| {
        let mut others = others.to_owned();
        others.push(":");
        others
    });
    libraries.push(library.path());
    connector.variable("LD_PRELOAD", libraries)
}
