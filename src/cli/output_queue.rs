//! Writers that never keep anybody waiting: a thread of its own for each place that is written
//! to. A pipe that nobody reads, or a disk that is full, costs lines and nothing else; how many
//! were lost is told as soon as there is room again.
//!
//! Not tracing-appender's, which prints by `println!` when a full pipe keeps it from ending.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that wait to be written at most. What comes then is lost.
const MOST_WAITING: usize = 1 << 20;

/// Time for what waits to be written at the end of the process.
const FLUSH_WITHIN: Duration = Duration::from_secs(1);

/// What is to be written.
pub(super) enum OutputMessage {
    /// Text that ends with its line.
    Lines(Vec<u8>),
    /// How far the run is: drawn in place of what was drawn before.
    Progress(String),
    /// Nothing is drawn any more.
    NoProgress,
    /// What is written to is to be opened anew.
    Reopen,
}

impl OutputMessage {
    fn size(&self) -> usize {
        match self {
            Self::Lines(lines) => lines.len(),
            Self::Progress(text) => text.len(),
            Self::NoProgress | Self::Reopen => 0,
        }
    }
}

/// Hands what is to be written to a thread. Clones share it.
#[derive(Clone)]
pub(super) struct OutputQueue {
    jobs: Sender<QueuedWrite>,
    backlog: Arc<Backlog>,
}

/// What the thread has yet to do.
#[derive(Default)]
struct Backlog {
    /// Bytes that wait.
    waiting: AtomicUsize,
    /// Lines that were lost, and not yet told of.
    lost: AtomicU64,
}

enum QueuedWrite {
    Write(OutputMessage),
    /// Everything before is done.
    Answer(SyncSender<()>),
    /// The same, and nothing comes any more.
    End(SyncSender<()>),
}

impl OutputQueue {
    /// A writer to the place called `name`, which `write` writes to.
    pub(super) fn start(
        name: &'static str,
        write: impl FnMut(OutputMessage) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Self> {
        let (jobs, received) = mpsc::channel();
        let backlog = Arc::new(Backlog::default());
        let writing = Arc::clone(&backlog);
        thread::Builder::new()
            .name(format!("write to {name}"))
            .spawn(move || writing.work_off(&received, name, write))?;
        Ok(Self { jobs, backlog })
    }

    /// Hands over what is to be written.
    pub(super) fn send(&self, message: OutputMessage) {
        let size = message.size();
        let waiting = self.backlog.waiting.fetch_add(size, Ordering::Relaxed);
        let is_in_time = match message {
            OutputMessage::Lines(_) => waiting + size <= MOST_WAITING,
            // The next state comes soon.
            OutputMessage::Progress(_) => waiting == 0,
            OutputMessage::NoProgress | OutputMessage::Reopen => true,
        };
        if is_in_time {
            // The thread ends with its last writer.
            let _ = self.jobs.send(QueuedWrite::Write(message));
            return;
        }
        self.backlog.waiting.fetch_sub(size, Ordering::Relaxed);
        if let OutputMessage::Lines(_) = message {
            self.backlog.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything that was handed over is written, though not for ever.
    pub(super) fn flush(&self) {
        self.wait(QueuedWrite::Answer);
    }

    /// Waits like [`Self::flush`]. What is handed over from then on is not written.
    pub(super) fn end(&self) {
        self.wait(QueuedWrite::End);
    }

    fn wait(&self, job: impl FnOnce(SyncSender<()>) -> QueuedWrite) {
        let (answer, answered) = mpsc::sync_channel(1);
        let _ = self.jobs.send(job(answer));
        let _ = answered.recv_timeout(FLUSH_WITHIN);
    }
}

impl Backlog {
    fn work_off(
        &self,
        jobs: &Receiver<QueuedWrite>,
        name: &str,
        mut write: impl FnMut(OutputMessage) -> io::Result<()>,
    ) {
        let mut fails = false;
        for job in jobs {
            let message = match job {
                QueuedWrite::Write(message) => message,
                QueuedWrite::Answer(answer) => {
                    // Who asked may have gone on without the answer.
                    let _ = answer.try_send(());
                    continue;
                }
                QueuedWrite::End(answer) => {
                    let _ = answer.try_send(());
                    return;
                }
            };
            let size = message.size();
            let is_line = matches!(message, OutputMessage::Lines(_));
            let outcome = write(message);
            let waiting = self.waiting.fetch_sub(size, Ordering::Relaxed) - size;
            match outcome {
                Err(error) => {
                    self.lost.fetch_add(is_line.into(), Ordering::Relaxed);
                    if !std::mem::replace(&mut fails, true) {
                        // Elsewhere it can be read.
                        tracing::warn!(to = name, %error, "log lines can't be written");
                    }
                }
                // With room for the line that tells it.
                Ok(()) if is_line && waiting < MOST_WAITING / 2 => {
                    fails = false;
                    let lines = self.lost.swap(0, Ordering::Relaxed);
                    if lines > 0 {
                        tracing::warn!(to = name, lines, "log lines were lost");
                    }
                }
                Ok(()) => {}
            }
        }
    }
}

impl<'writer> MakeWriter<'writer> for OutputQueue {
    type Writer = QueuedLine<'writer>;

    fn make_writer(&'writer self) -> QueuedLine<'writer> {
        QueuedLine(self)
    }
}

/// Writes one line of a log, which comes whole.
pub(super) struct QueuedLine<'writer>(&'writer OutputQueue);

impl Write for QueuedLine<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.send(OutputMessage::Lines(line.to_vec()));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A writer of lines to `place`, called `name`.
pub(super) fn lines_to(
    name: &'static str,
    mut place: impl Write + Send + 'static,
) -> io::Result<OutputQueue> {
    OutputQueue::start(name, move |message| match message {
        OutputMessage::Lines(lines) => place.write_all(&lines),
        OutputMessage::Progress(_) | OutputMessage::NoProgress | OutputMessage::Reopen => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::{FLUSH_WITHIN, MOST_WAITING, OutputMessage, OutputQueue, lines_to};
    use std::io::{self, Write};
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::sync::{Arc, Mutex};
    use std::time::Instant;
    use tracing_subscriber::fmt::MakeWriter as _;

    /// A pipe that holds nothing: each write waits until it is read.
    struct Pipe(Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn pipe() -> (OutputQueue, Sender<()>, Arc<Mutex<Vec<u8>>>) {
        let ((read, reads), written) = (mpsc::channel(), Arc::default());
        (lines_to("a pipe", Pipe(reads, Arc::clone(&written))).unwrap(), read, written)
    }

    #[test]
    fn a_pipe_that_nobody_reads_keeps_nobody_waiting_and_holds_little() {
        let (writer, read, written) = pipe();
        let started = Instant::now();
        let line = vec![b'x'; 10_000];
        let lines = MOST_WAITING / line.len();
        for _ in 0..lines * 3 {
            writer.make_writer().write_all(&line).unwrap();
        }
        writer.flush();
        assert!(started.elapsed() < FLUSH_WITHIN * 3);
        let lost = writer.backlog.lost.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!(usize::try_from(lost).unwrap(), lines * 2);
        for _ in 0..=lines {
            let _ = read.send(());
        }
        writer.flush();
        assert_eq!(written.lock().unwrap().len(), lines * line.len());
        // Told of once, by a line of the log.
        assert_eq!(writer.backlog.lost.load(std::sync::atomic::Ordering::Relaxed), 0);
    }

    #[test]
    fn everything_that_was_handed_over_is_written_before_the_end_and_nothing_after_it() {
        let (writer, read, written) = pipe();
        let mut expected = String::new();
        for number in 0..100 {
            let line = format!("{number}\n");
            expected.push_str(&line);
            writer.send(OutputMessage::Lines(line.into()));
            read.send(()).unwrap();
        }
        writer.end();
        writer.send(OutputMessage::Lines(b"too late\n".into()));
        writer.flush();
        assert_eq!(*written.lock().unwrap(), expected.as_bytes());
    }
}
