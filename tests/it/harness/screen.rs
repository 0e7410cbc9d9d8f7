//! The connector in a real terminal: a window of tmux, and what stands in it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthChar;

/// Time for a screen to show what a test waits for. Only a failing test takes it.
const PATIENCE: Duration = Duration::from_mins(1);

/// A window of some width. Below `/tmp`, so that paths have the same width everywhere.
pub struct Screen {
    directory: tempfile::TempDir,
    columns: usize,
}

impl Screen {
    pub fn new(columns: usize) -> Self {
        let directory = tempfile::tempdir_in("/tmp").unwrap();
        fs::write(
            directory.path().join("tmux.conf"),
            "set -g status off\nset -g history-limit 2000\nset -g default-terminal xterm-256color\n",
        )
        .unwrap();
        Self { directory, columns }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Types `arguments` after the connector's name, in an environment of `variables` only.
    pub fn start(&self, arguments: &[&str], variables: &[(&str, &str)]) {
        let quote = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let variables: Vec<_> =
            variables.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
        let arguments: Vec<_> = arguments.iter().map(|argument| quote(argument)).collect();
        let script = self.path().join("script");
        fs::write(
            &script,
            format!(
                "cd {}\nenv -i TERM=\"$TERM\" {} {} {}\necho \"[exit code $?]\"\nexec sleep 600\n",
                quote(self.path().to_str().unwrap()),
                variables.join(" "),
                quote(env!("CARGO_BIN_EXE_baton-northflank")),
                arguments.join(" "),
            ),
        )
        .unwrap();
        let columns = self.columns.to_string();
        let script = quote(script.to_str().unwrap());
        let command = format!("exec sh {script}");
        self.tmux(&["new-session", "-d", "-x", &columns, "-y", "50", &command]);
    }

    /// What stands in the window once the command has ended.
    pub fn end(&self) -> String {
        self.wait_for("[exit code ")
    }

    /// What stands in the window once it shows `text`, above included.
    pub fn wait_for(&self, text: &str) -> String {
        let began = Instant::now();
        loop {
            // Joined lines are folded again after changing values are gone.
            let shown = self.tmux(&["capture-pane", "-p", "-e", "-J", "-S", "-"]);
            if shown.contains(text) {
                return shown;
            }
            assert!(began.elapsed() < PATIENCE, "no {text:?} in:\n{shown}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A capture with fixed values for what changes from run to run, as wide as the window, and
    /// with styles in words.
    pub fn picture(&self, capture: &str) -> String {
        let mut text = capture.to_owned();
        for (pattern, value) in [
            (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", "2026-11-24T08:00:00.000000Z"),
            (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "2026-11-24 08:00:00"),
            (r"127\.0\.0\.1:\d+", "127.0.0.1:40000"),
            (r"/tmp/\.tmp\w{6}", "/tmp/.tmpabcdef"),
            // A KSUID of this decade.
            (r"\b[34][0-9A-Za-z]{26}\b", "3MXq78VXfmL3CBLeTJyMUwD4WQH"),
            (r"(bytes\S*=\S*?)\d{4,5}\b", "${1}11813"),
            (r"(seconds\S*=\S*?)\d+\.[\de-]+", "${1}0.058827198"),
            (r"\d+\.\d+ KiB\) in \d+\.\d s", "11.54 KiB) in 0.1 s"),
            (r"[\u{2800}-\u{28ff}]", "⠁"),
            (r"(1h|\d+m( \d+s)?)( left)?, until \d\d:\d\d(:\d\d)?", "59m 58s$3, until 09:00$4"),
            (r"(until\S*=\S*?)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "${1}2026-11-24T09:00:00Z"),
            (r"(seconds\S*=\S*?)3(600|5\d\d)\b", "${1}3600"),
            // The last page may not be safe yet when the wait begins.
            (r"(pages\S*=\S*?)7\b", "${1}8"),
        ] {
            text = regex::Regex::new(pattern).unwrap().replace_all(&text, value).into_owned();
        }
        let lines = text.trim_end().lines().map(|line| plain(line.trim_end(), self.columns));
        lines.collect::<Vec<_>>().join("\n")
    }

    fn tmux(&self, arguments: &[impl AsRef<OsStr>]) -> String {
        let output = Command::new("tmux")
            .arg("-S")
            .arg(self.file("tmux.socket"))
            .arg("-f")
            .arg(self.file("tmux.conf"))
            .args(arguments)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("TMUX")
            .output()
            .expect("tmux is needed; see .ci/run");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // This window's own server. It may never have been started.
        let _ = Command::new("tmux")
            .arg("-S")
            .arg(self.file("tmux.socket"))
            .arg("kill-server")
            .output();
    }
}

/// A line, broken where the terminal does, with its styles in words: `{bold green}`, and `{}`
/// where they end.
fn plain(line: &str, columns: usize) -> String {
    let mut plain = String::new();
    let (mut style, mut shown) = (Style::default(), Style::default());
    let mut column = 0;
    let mut chars = line.chars();
    while let Some(char) = chars.next() {
        if char == '\u{1b}' {
            let sequence: String = chars.by_ref().take_while(|char| *char != 'm').collect();
            style.apply(sequence.trim_start_matches('['));
            continue;
        }
        if char != ' ' && style != shown {
            plain.push_str(&style.to_string());
            shown = style;
        }
        let width = char.width().unwrap_or_default();
        if column + width > columns {
            plain.push('\n');
            column = 0;
        }
        column += width;
        plain.push(char);
    }
    let mut plain = plain.trim_end().to_owned();
    if shown != Style::default() {
        plain.push_str("{}");
    }
    plain
}

/// How characters look. tmux versions differ in how they spell the same looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    dim: bool,
    italic: bool,
    colour: Option<&'static str>,
}

impl Style {
    fn apply(&mut self, parameters: &str) {
        const COLOURS: [&str; 8] =
            ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];
        for parameter in parameters.split(';') {
            match parameter.parse().unwrap_or(0) {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                colour @ 30..=37 => self.colour = Some(COLOURS[colour - 30]),
                39 => self.colour = None,
                // The background is never set.
                49 => {}
                other => panic!("an unknown style: {other}"),
            }
        }
    }
}

impl std::fmt::Display for Style {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = [
            self.bold.then_some("bold"),
            self.dim.then_some("dim"),
            self.italic.then_some("italic"),
            self.colour,
        ];
        let words: Vec<_> = words.into_iter().flatten().collect();
        write!(formatter, "{{{}}}", words.join(" "))
    }
}
