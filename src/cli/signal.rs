//! The signals that end a run.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::exit_code::ExitCode;

/// A signal that asks the process to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGHUP: the terminal was closed.
    Hangup,
    /// SIGINT, or Ctrl-C.
    Interrupt,
    /// SIGTERM, as `docker stop` sends.
    Terminate,
}

impl Signal {
    /// The signal's name.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Hangup => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Terminate => "SIGTERM",
        }
    }

    /// The code to exit with.
    pub(super) fn code(self) -> ExitCode {
        ExitCode::of_signal(self.number())
    }

    /// The signal's number, the same on every Unix.
    fn number(self) -> u8 {
        match self {
            Self::Hangup => 1,
            Self::Interrupt => 2,
            Self::Terminate => 15,
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
pub(super) struct Leftovers(Paths);

/// Paths that several know.
type Paths = Arc<Mutex<Vec<PathBuf>>>;

/// All of the process, once there are any. There is one watch for them: of two, the first would
/// end the process before the other has removed its own.
static LEFTOVERS: Mutex<Option<Paths>> = Mutex::new(None);

/// Whether a signal is ending the process, which removes what is left over first.
static IS_ENDING: AtomicBool = AtomicBool::new(false);

/// Waits for the end of a process that a signal is ending: what fails meanwhile, because what it
/// reads is gone, is no failure to be told, and what comes to its end isn't told either.
pub(super) fn give_way() {
    while IS_ENDING.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Leftovers {
    /// Begins to watch for signals, if nobody does yet.
    pub(super) fn watch() -> io::Result<Self> {
        let mut watched = LEFTOVERS.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(paths) = &*watched {
            return Ok(Self(Arc::clone(paths)));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut signals = {
            let _entered = runtime.enter();
            Signals::listen()?
        };
        let leftovers = Self(Arc::default());
        let paths = Arc::clone(&leftovers.0);
        std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
            loop {
                let signal = runtime.block_on(signals.next());
                IS_ENDING.store(true, Ordering::Release);
                for path in paths.lock().unwrap_or_else(PoisonError::into_inner).iter() {
                    // What can't be removed stays.
                    let _ = fs::remove_dir_all(path).or_else(|_| fs::remove_file(path));
                }
                end_by(signal);
                IS_ENDING.store(false, Ordering::Release);
            }
        })?;
        *watched = Some(Arc::clone(&leftovers.0));
        Ok(leftovers)
    }

    /// One more.
    pub(super) fn add(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_owned());
    }
}

/// Ends the process as if nobody had listened. What can't be ended so runs to its end.
#[cfg(unix)]
fn end_by(signal: Signal) {
    let _ = signal_hook::low_level::emulate_default_handler(signal.number().into());
}

/// Ends the process with the code that the signal has elsewhere: here it has none.
#[cfg(windows)]
fn end_by(signal: Signal) {
    signal_hook::low_level::exit(signal.code().number().into());
}

/// Listens for signals from its making on. Whoever closes a terminal sends SIGHUP, but `nohup`
/// has it ignored, and so it stays.
#[cfg(unix)]
pub(super) struct Signals {
    hangup: Option<tokio::signal::unix::Signal>,
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    /// Begins to listen. Must be called within a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let hangup = (!is_hangup_ignored()).then(|| signal(SignalKind::hangup()));
        Ok(Self {
            hangup: hangup.transpose()?,
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hangup => Signal::Hangup,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}

/// Whether this process was started with SIGHUP ignored.
#[cfg(unix)]
fn is_hangup_ignored() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignores(&status, Signal::Hangup).unwrap_or_else(|| {
        // Where the system doesn't tell, whatever is started ignores what this process does.
        use std::os::unix::process::ExitStatusExt;
        let mut shell = std::process::Command::new("/bin/sh");
        let ended = shell.args(["-c", "kill -s HUP $$"]).status();
        ended.is_ok_and(|status| status.signal().is_none())
    })
}

/// Whether a signal is among those that Linux says a process ignores: one bit for each, the
/// lowest for number 1 (proc_pid_status(5)).
#[cfg(unix)]
fn ignores(status: &str, signal: Signal) -> Option<bool> {
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let ignored = u64::from_str_radix(ignored.trim(), 16).ok()?;
    Some(ignored >> (signal.number() - 1) & 1 == 1)
}

/// Listens from its making on for what Windows has in their place: Ctrl-C and Ctrl-Break, the
/// window being closed, and the machine being shut down.
#[cfg(windows)]
pub(super) struct Signals {
    interrupt: tokio::signal::windows::CtrlC,
    stop: tokio::signal::windows::CtrlBreak,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    /// Begins to listen. Must be called within a runtime.
    pub(super) fn listen() -> io::Result<Self> {
        use tokio::signal::windows::{ctrl_break, ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self {
            interrupt: ctrl_c()?,
            stop: ctrl_break()?,
            close: ctrl_close()?,
            shutdown: ctrl_shutdown()?,
        })
    }

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.stop.recv() => Signal::Interrupt,
            _ = self.close.recv() => Signal::Hangup,
            _ = self.shutdown.recv() => Signal::Terminate,
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Signal, ignores};

    #[test]
    fn what_a_process_ignores_stands_in_its_status() {
        let of = |mask: &str| ignores(&format!("Name:\tx\nSigIgn:\t{mask}\n"), Signal::Hangup);
        assert_eq!(of("0000000000000001"), Some(true));
        assert_eq!(of("0000000000001007"), Some(true));
        assert_eq!(of("0000000000001006"), Some(false));
        assert_eq!(of("many"), None);
        assert_eq!(ignores("", Signal::Hangup), None);
        let both = "SigIgn:\t0000000000004002";
        assert_eq!(ignores(both, Signal::Interrupt), Some(true));
        assert_eq!(ignores(both, Signal::Terminate), Some(true));
    }
}
