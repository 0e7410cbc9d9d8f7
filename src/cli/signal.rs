//! The signals that end a run.

#[cfg(unix)]
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGINT, or Ctrl-C.
    Interrupt,
    /// SIGTERM, as `docker stop` sends.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has it"))]
    Terminate,
}

impl Signal {
    /// The signal's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The exit code of a process that the signal ended, as shells count: 128 and its number.
    pub(super) fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// Lets a write beyond the limit on the size of files fail like one to a full disk. By default
/// the system kills a process that tries, whatever it has under way.
#[cfg(unix)]
pub(super) fn survive_file_size_limit() {
    // What catches it has nothing to do: the write fails then. Where it can't be caught the
    // system does as before.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::default());
}

/// There is no such limit here.
#[cfg(not(unix))]
pub(super) fn survive_file_size_limit() {}

/// Files and directories that a signal leaves nothing of: it ends the process as ever, but they
/// are removed before. For whatever runs without listening.
pub(super) struct Leftovers(Arc<Mutex<Vec<PathBuf>>>);

impl Leftovers {
    /// Begins to watch for signals.
    #[cfg(unix)]
    pub(super) fn watch() -> io::Result<Self> {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])?;
        let leftovers = Self(Arc::default());
        let paths = Arc::clone(&leftovers.0);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            for signal in signals.forever() {
                for path in paths.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    // What can't be removed stays.
                    let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
                }
                // What can't be ended so runs to its end.
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        })?;
        Ok(leftovers)
    }

    /// There are no such signals here.
    #[cfg(not(unix))]
    pub(super) fn watch() -> io::Result<Self> {
        Ok(Self(Arc::default()))
    }

    /// One more.
    pub(super) fn add(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }
}

/// Listens for signals from its making on.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// Listens for Ctrl-C from its first use on.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    /// Begins to listen.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// The next signal.
    pub(super) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}
