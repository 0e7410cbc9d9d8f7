//! Plays ConductorOne on this machine until standard input ends: `fake-conductorone --help`.

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc;
use std::time::Duration;

use fake_conductorone::Standalone;

const HELP: &str = "\
Plays ConductorOne on loopback, for trying the service by hand, until standard input ends.

  --directory DIRECTORY  where c1.env and ca.pem go, which the connector needs, and what it uploads
                         (the working directory)
  --sync-every SECONDS   between two syncs that it asks for, 0 for one only (60)

Says what the connector does.";

/// Between two looks at what the connector does.
const LOOK_EVERY: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fake-conductorone: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let (mut directory, mut every) = (PathBuf::from("."), 60);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let mut word = || arguments.next().ok_or_else(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--help" => {
                println!("{HELP}");
                return Ok(());
            }
            "--directory" => directory = word()?.into(),
            "--sync-every" => {
                let text = word()?;
                every = text.parse().map_err(|_| format!("{flag} needs a number, not {text:?}"))?;
            }
            _ => return Err(format!("{flag} is no flag; see --help").into()),
        }
    }
    let every = (every > 0).then(|| Duration::from_secs(every));
    let mut fake = Standalone::start(&directory, every)?;
    println!("variables={}", fake.variables().display());
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || {
        // However it ends, it ends.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = ended.send(());
    });
    while end.recv_timeout(LOOK_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
        for line in fake.step()? {
            println!("{line}");
        }
    }
    // In the background of a script it ends at once.
    eprintln!("fake-conductorone: standard input has ended, and with it the serving; keep it open");
    Ok(())
}
