//! Baton's messages, their ids, annotations and encoding.
//!
//! The messages are generated from `proto/`, which holds what the connector uses of
//! baton-sdk's definitions under the same packages, names and field numbers.

mod annotation;
mod id;
mod profile;

pub use annotation::{annotation, find};
pub use id::{GrantId, IdError, check_id, entitlement_id, resource_key};
pub use profile::{Profile, order_set};

use std::borrow::Cow;
use std::fmt::Write as _;

/// Package `c1.connector.v2`: resources, entitlements, grants and their annotations.
#[allow(clippy::pedantic)]
pub mod v2 {
    include!(concat!(env!("OUT_DIR"), "/c1.connector.v2.rs"));
}

/// `text` without characters that could come from a name or a message of somebody else's and
/// steer whatever shows it: control characters, ends of lines, and what turns the direction of
/// reading around, so that a text looks like another
/// ([UTS 39](https://www.unicode.org/reports/tr39/), CVE-2021-42574).
pub fn printable(text: &str) -> String {
    text.chars().map(|char| if steers(char) { '\u{fffd}' } else { char }).collect()
}

/// The same of a text that begins a line: one with two colons before it is a command to a
/// workflow of GitHub's, whose log it may stand in. Such a text stands in quotation marks.
pub fn printable_line(text: &str) -> String {
    let text = printable(text);
    if text.trim_start().starts_with("::") { format!("\"{text}\"") } else { text }
}

fn steers(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// JSON that means the same, with such characters escaped: programs read the same text, and
/// people see what it is. Ends of lines stand between the texts of JSON, and never in them.
pub fn legible_json(json: &str) -> Cow<'_, str> {
    let is_meant = |char: char| char == '\n' || !steers(char);
    if json.chars().all(is_meant) {
        return Cow::Borrowed(json);
    }
    let mut legible = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if is_meant(char) {
            legible.push(char);
        } else {
            for unit in char.encode_utf16(&mut [0; 2]) {
                let _ = write!(legible, "\\u{unit:04x}");
            }
        }
    }
    Cow::Owned(legible)
}

/// The definitions of all messages: an encoded `google.protobuf.FileDescriptorSet`.
#[cfg(test)]
pub(crate) const DESCRIPTORS: &[u8] =
    include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.binpb"));

/// Package `google.rpc`: how a task ended.
#[allow(clippy::pedantic)]
pub mod rpc {
    include!(concat!(env!("OUT_DIR"), "/google.rpc.rs"));
}

/// Cuts `text` to at most `limit` bytes at a character boundary, ending in `…` where
/// something was cut. Baton limits display names to 1024 bytes and descriptions to 2048.
pub fn shorten(text: &str, limit: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() <= limit {
        return text.to_owned();
    }
    let mut end = limit.saturating_sub(ELLIPSIS.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{ELLIPSIS}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::{printable, shorten};

    #[test]
    fn nothing_that_is_printed_steers_a_terminal_or_turns_the_text_around() {
        assert_eq!(printable("a\u{1b}[31m\n\u{9b}b"), "a\u{fffd}[31m\u{fffd}\u{fffd}b");
        for steers in ['\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}'] {
            assert_eq!(printable(&format!("a{steers}b")), "a\u{fffd}b");
        }
        // Names are written with these.
        assert_eq!(printable("א\u{200f}ל 👩\u{200d}🔬 é"), "א\u{200f}ל 👩\u{200d}🔬 é");
    }

    #[test]
    fn a_text_within_the_limit_is_left_alone() {
        assert_eq!(shorten("Ada Quill", 9), "Ada Quill");
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        // Six bytes of room: three for the ellipsis, and "é" (two bytes) fits once.
        assert_eq!(shorten("ééééé", 6), "é…");
        assert!(shorten(&"x".repeat(5000), 1024).len() == 1024);
    }
}
