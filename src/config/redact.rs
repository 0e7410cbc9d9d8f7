//! What was typed, as messages may repeat it: without secrets, whether they stand where they
//! belong or were put in another's place, and no longer than helps.

use std::ffi::OsString;
use std::ops::Range;

use super::fields::FIELDS;

/// The longest value that a message repeats, in bytes.
const LONGEST: usize = 100;

/// What is shown in place of a secret.
const HIDDEN: &str = "[hidden]";

/// How secrets begin: Northflank's tokens, JSON web tokens, the last part of C1's client secrets.
const BEGINNINGS: [&str; 2] = ["nf-", "eyJ"];

/// A run of so many characters may be a secret.
const LONG_RUN: usize = 20;

/// The longest name that is taken for a flag's.
const LONGEST_FLAG: usize = 64;

/// The variables that hold secrets.
const VARIABLES: [&str; 2] = ["BATON_NORTHFLANK_API_TOKEN", "BATON_CLIENT_SECRET"];

/// The secrets of this process, to be found in whatever is to be shown.
#[derive(Default)]
pub(crate) struct Secrets(Vec<String>);

impl Secrets {
    /// Those that stand in variables.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let mut secrets = Self::default();
        for name in VARIABLES {
            if let Some(value) = variable(name) {
                secrets.add(&value.to_string_lossy());
            }
        }
        secrets
    }

    pub(super) fn add(&mut self, secret: &str) {
        // What is so short stands in texts for other reasons.
        const SHORTEST: usize = 4;
        let secret = secret.trim();
        if secret.len() >= SHORTEST {
            self.0.push(secret.to_owned());
        }
    }

    /// A message with neither these secrets nor others that are known by how they begin, nor
    /// what URLs hold of users and queries.
    pub(crate) fn hide(&self, text: &str) -> String {
        self.without(text, false)
    }

    /// The same of a text that somebody typed, in which a long run may be a secret too.
    pub(crate) fn hide_in_typed(&self, text: &str) -> String {
        self.without(text, true)
    }

    /// The name of a setting that somebody typed, without the hyphens of a flag.
    pub(super) fn hide_in_name(&self, name: &str) -> String {
        let shown = self.hide_in_typed(&format!("--{name}"));
        shown.trim_start_matches('-').to_owned()
    }

    /// A value that somebody typed, in quotation marks.
    pub(super) fn quote(&self, value: &str) -> String {
        format!("{:?}", crate::baton::shorten(&self.hide_in_typed(value), LONGEST))
    }

    fn without(&self, text: &str, hides_long_runs: bool) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret, HIDDEN);
        }
        let is_end = |char: char| char.is_whitespace() || matches!(char, '\'' | '"' | '`');
        let mut shown = String::new();
        for word in text.split_inclusive(is_end) {
            let end = word.trim_end_matches(is_end).len();
            let (word, end) = word.split_at(end);
            shown.push_str(&pieces(&without_credentials(word), hides_long_runs));
            shown.push_str(end);
        }
        shown
    }
}

/// A word without what a URL says of users and asks for.
fn without_credentials(word: &str) -> String {
    let (scheme, rest) = match word.find("://") {
        Some(at) => word.split_at(at + 3),
        None => ("", word),
    };
    let is_url = !scheme.is_empty();
    let mut rest = rest.to_owned();
    if let Some(at) = rest.rfind('@')
        && (is_url || rest[..at].trim_end_matches(':').contains(':'))
    {
        rest.replace_range(..at, HIDDEN);
    }
    if let Some(query) = rest.find(['?', '#'])
        && is_url
        && query + 1 < rest.len()
    {
        rest.replace_range(query + 1.., HIDDEN);
    }
    format!("{scheme}{rest}")
}

/// A word without the pieces that may be secrets.
fn pieces(word: &str, hides_long_runs: bool) -> String {
    let in_piece = |char: char| char.is_ascii_alphanumeric() || "-_.~+%".contains(char);
    let mut shown = String::new();
    let mut rest = word;
    while let Some(start) = rest.find(in_piece) {
        let length = rest[start..].find(|char| !in_piece(char)).unwrap_or(rest.len() - start);
        let piece = &rest[start..start + length];
        shown.push_str(&rest[..start]);
        match secret_in(piece, hides_long_runs) {
            Some(range) => {
                shown.push_str(&piece[..range.start]);
                shown.push_str(HIDDEN);
                shown.push_str(&piece[range.end..]);
            }
            None => shown.push_str(piece),
        }
        rest = &rest[start + length..];
    }
    shown.push_str(rest);
    shown
}

fn secret_in(piece: &str, hides_long_runs: bool) -> Option<Range<usize>> {
    let start = piece.len() - piece.trim_start_matches('-').len();
    let whole = &piece[start..];
    let begins = BEGINNINGS.iter().any(|it| whole.len() > it.len() && whole.starts_with(it));
    let has_long_run = whole.split('.').any(may_be_a_secret);
    let is_name = || {
        piece.starts_with("--") && may_be_a_flag(whole)
            || FIELDS.iter().any(|field| field.name == whole)
    };
    let is_secret = if hides_long_runs {
        begins || has_long_run && !is_name()
    } else {
        // Northflank's ids of errors begin like its tokens.
        begins && (has_long_run || whole.contains("eyJ"))
    };
    is_secret.then_some(start..piece.len())
}

/// Whether this may be the name of a flag, that of another connector say, and no token that was
/// pasted after two hyphens.
fn may_be_a_flag(name: &str) -> bool {
    let in_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= LONGEST_FLAG
        && name.bytes().all(in_name)
        && name.split('-').all(|part| part.len() <= LONG_RUN)
}

/// Whether a run is long and no words with hyphens, as flags and names are.
fn may_be_a_secret(run: &str) -> bool {
    let has = |is_so: fn(char) -> bool| run.contains(is_so);
    run.len() >= LONG_RUN
        && (has(|char| char.is_ascii_digit())
            || has(|char| char.is_ascii_lowercase()) && has(|char| char.is_ascii_uppercase())
            || run.split(['-', '_']).any(|part| part.len() >= LONG_RUN))
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        let secrets = Secrets(vec!["hunter2".into()]);
        for (typed, shown) in [
            ("nf-abc.def-ghi", "[hidden]"),
            ("unexpected argument '--nf-abc' found", "unexpected argument '--[hidden]' found"),
            ("--nf-keep-previous-sync-c1z", "--[hidden]"),
            ("--keep-previous-sync-C1Z", "--[hidden]"),
            ("--keep-abcdefghij0123456789a", "--[hidden]"),
            ("keep-earlier-sync-c1z2", "[hidden]"),
            ("eyJhbGciOi.eyJzdWIi.c2ln", "[hidden]"),
            ("role/nf-abc", "role/[hidden]"),
            ("secret-token:a:v1:eyJrdHki", "secret-token:a:v1:[hidden]"),
            ("my hunter2 is", "my [hidden] is"),
            ("abcdefghij0123456789", "[hidden]"),
            ("abcdefghijklmnopqrstuv", "[hidden]"),
            ("ABCDefghIJKLmnopQRST", "[hidden]"),
            ("https://me:pw@host.test/v1", "https://[hidden]@host.test/v1"),
            ("https://me:p/w@host.test", "https://[hidden]@host.test"),
            ("me:pw@host.test", "[hidden]@host.test"),
            // A type and an id.
            ("api-token:@organization/ci", "api-token:@organization/ci"),
            ("https://host.test/?token=a", "https://host.test/?[hidden]"),
        ] {
            assert_eq!(secrets.hide_in_typed(typed), shown);
        }
        // A message's own words and paths stay.
        assert_eq!(
            secrets.hide("can't write /data/snapshot-2026-11-25-Production.c1z"),
            "can't write /data/snapshot-2026-11-25-Production.c1z"
        );
    }

    #[test]
    fn what_helps_is_repeated() {
        let secrets = Secrets::default();
        for typed in [
            "many",
            "https://api.northflank.com/v1",
            "--otel-collector-endpoint-tls-certpath",
            "unexpected argument '--keep-previous-sync-c1z' found",
            "--create-account-resource-type-2",
            "a similar argument exists: '--otel-collector-endpoint-tls-cert-path'",
            "/nowhere/at/all",
            "role/platform-engineering",
            "name@host.test/pcc",
            "conf-file",
        ] {
            assert_eq!(secrets.hide_in_typed(typed), typed);
        }
        assert_eq!(secrets.hide_in_typed("keep-previous-sync-c1z"), "keep-previous-sync-c1z");
        assert_eq!(secrets.hide_in_name("keep-earlier-sync-c1z2"), "keep-earlier-sync-c1z2");
        assert_eq!(secrets.hide_in_name("nf-keep-sync-c1z"), "[hidden]");
        assert_eq!(secrets.quote("a\nb"), r#""a\nb""#);
        assert!(secrets.quote(&"many ".repeat(1_000_000)).len() < 110);
    }
}
