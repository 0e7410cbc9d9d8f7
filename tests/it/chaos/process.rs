//! A run of the connector as a process of its own, which must end.

use std::fmt::Write as _;
use std::io::{PipeReader, Read, Write, pipe};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::draw::Draw;
use crate::harness::Connector;

/// No run takes longer, whatever goes wrong: all tries of a request, all windows of the rate
/// limit, on a machine that has other things to do.
const LONGEST: Duration = Duration::from_secs(150);

/// What a pipe holds in Linux, unless somebody changes that (`man 7 pipe`).
const PIPE: usize = 64 * 1024;

/// Where an output of the process goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sink {
    /// To us.
    Read,
    /// To a device that is full.
    Full,
    Closed,
    /// To a pipe that is full and that nobody reads.
    Stuck,
}

impl Sink {
    pub(super) fn any(draw: &mut Draw) -> Self {
        if draw.percent(85) {
            return Self::Read;
        }
        draw.one(&[Self::Full, Self::Closed, Self::Stuck])
    }

    fn open(self, kept: &mut Vec<PipeReader>) -> Stdio {
        match self {
            Self::Read => Stdio::piped(),
            Self::Full => std::fs::File::options().write(true).open("/dev/full").unwrap().into(),
            // The shell closes it.
            Self::Closed => Stdio::null(),
            Self::Stuck => {
                let (reader, mut writer) = pipe().unwrap();
                writer.write_all(&vec![b'.'; PIPE]).unwrap();
                kept.push(reader);
                writer.into()
            }
        }
    }
}

/// What a process runs within.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shell {
    pub(super) stdout: Sink,
    pub(super) stderr: Sink,
    pub(super) umask: &'static str,
    /// The largest file, in blocks of 512 bytes.
    pub(super) file_size: Option<usize>,
    /// The most open files.
    pub(super) open_files: Option<usize>,
}

impl Shell {
    pub(super) const PLAIN: Self = Self {
        stdout: Sink::Read,
        stderr: Sink::Read,
        umask: "022",
        file_size: None,
        open_files: None,
    };

    pub(super) fn any(draw: &mut Draw) -> Self {
        let (stdout, stderr) = (Sink::any(draw), Sink::any(draw));
        let umask = draw.one(&["000", "002", "022", "077"]);
        Self { stdout, stderr, umask, ..Self::PLAIN }
    }

    pub(super) fn start(self, connector: Connector) -> Process {
        let command = connector.0;
        let mut script = format!("umask {}; ", self.umask);
        for (sink, close) in [(self.stdout, "exec >&-; "), (self.stderr, "exec 2>&-; ")] {
            script += if sink == Sink::Closed { close } else { "" };
        }
        if let Some(blocks) = self.file_size {
            write!(script, "ulimit -f {blocks}; ").unwrap();
        }
        if let Some(files) = self.open_files {
            write!(script, "ulimit -n {files}; ").unwrap();
        }
        script += "exec \"$0\" \"$@\"";
        let mut shell = Command::new("/bin/sh");
        shell.env_clear().stdin(Stdio::null());
        shell.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.current_dir(command.get_current_dir().unwrap());
        shell.arg("-c").arg(script).arg(command.get_program()).args(command.get_args());
        let mut stuck = Vec::new();
        shell.stdout(self.stdout.open(&mut stuck)).stderr(self.stderr.open(&mut stuck));
        let mut child = shell.spawn().unwrap();
        let stdout = child.stdout.take().map(read);
        let stderr = child.stderr.take().map(read);
        Process { child, stdout, stderr, _stuck: stuck, started: Instant::now() }
    }
}

fn read(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut read = Vec::new();
        from.read_to_end(&mut read).unwrap();
        read
    })
}

/// A running connector.
pub(super) struct Process {
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    _stuck: Vec<PipeReader>,
    started: Instant,
}

impl Process {
    pub(super) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Ended {
        while !self.has_ended() {
            if self.started.elapsed() > LONGEST {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                let said = self.stderr.map(|stderr| stderr.join().unwrap());
                let said = String::from_utf8_lossy(&said.unwrap_or_default()).into_owned();
                panic!("it hangs: {said}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let took = self.started.elapsed();
        let status = self.child.wait().unwrap();
        let text =
            |reading: JoinHandle<Vec<u8>>| String::from_utf8(reading.join().unwrap()).unwrap();
        Ended {
            code: status.code(),
            signal: status.signal(),
            stdout: self.stdout.map(text),
            stderr: self.stderr.map(text),
            took,
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) signal: Option<i32>,
    pub(super) stdout: Option<String>,
    pub(super) stderr: Option<String>,
    pub(super) took: Duration,
}

impl Ended {
    /// In a word.
    pub(super) fn word(&self) -> String {
        match (self.code, self.signal) {
            (Some(code), _) => format!("exit {code}"),
            (None, signal) => format!("signal {}", signal.unwrap_or_default()),
        }
    }
}
