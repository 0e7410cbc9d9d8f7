//! Files of rules, read.

use std::io;
use std::path::Path;

use time::OffsetDateTime;

use crate::private_fs;
use crate::report::review::{self, RuleSet};

use super::exit::Failure;

/// The largest file of rules, in MiB.
const LARGEST_MIB: u64 = 1;

/// The rules in a file, as of `now`.
pub(super) fn read_rules(path: &Path, now: OffsetDateTime) -> Result<RuleSet, Failure> {
    let failed = |source| Failure::Source { path: path.to_owned(), source };
    let text = private_fs::read_regular(path, LARGEST_MIB).map_err(failed)?;
    let text =
        String::from_utf8(text).map_err(|_| failed(io::Error::other("it is not valid UTF-8")))?;
    parse_rules(&text, path, now)
}

/// The rules in a text that is that of `path`.
pub(super) fn parse_rules(
    text: &str,
    path: &Path,
    now: OffsetDateTime,
) -> Result<RuleSet, Failure> {
    RuleSet::parse(text, now.date()).map_err(|mistakes| {
        Failure::Review(review::Error::Rules { file: path.to_owned(), mistakes })
    })
}
