//! Every exit code and what it says: the one list that help and manual page show, and that tests
//! hold all other texts to.

use std::fmt::Write as _;

/// Codes, and what they say.
const EXIT_CODES: [(&str, &str); 14] = [
    ("0", "done; a service was told to stop"),
    ("2", "failed; the line on standard error says why"),
    (
        "3",
        "a mistake in flags, variables or the file named, no place that can be written to, or \
         --sync-resources names what Northflank doesn't list",
    ),
    ("4", "no answer in time"),
    ("5", "ConductorOne doesn't know this connector"),
    ("7", "the token lacks permissions, or ConductorOne denies this connector access"),
    ("8", "the rate limit would take longer than --max-wait"),
    ("9", "ConductorOne isn't set up for this connector"),
    ("12", "ConductorOne doesn't know what this connector asks for"),
    (
        "14",
        "Northflank can't be reached or fails, another run is writing the file, or a service isn't \
         well (health-check) or can't listen",
    ),
    (
        "16",
        "the token is wrong, expired or revoked, or a team's, or ConductorOne refuses the client id \
         and secret",
    ),
    ("20", "something changed (with --exit-code)"),
    ("129", "stopped by SIGHUP (a closed terminal), unless that is ignored from the start (nohup)"),
    ("130, 143", "stopped by SIGINT, by SIGTERM"),
];

/// The list as lines of help.
pub(super) fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for (codes, meaning) in EXIT_CODES {
        // Writing to a text doesn't fail.
        let _ = writeln!(text, "  {codes}: {meaning}");
    }
    text.trim_end().to_owned()
}
