//! Text in Markdown.

use std::fmt::Write as _;

use crate::baton::printable;

/// Names come from people: none may become markup, mention somebody or something, or lead
/// elsewhere.
pub fn escape(text: &str) -> String {
    let text = printable(text);
    let mut escaped = String::with_capacity(text.len());
    for (at, char) in text.char_indices() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(char);
            }
            char if stands_alone(char, &text[..at], &text[at + char.len_utf8()..]) => {
                let _ = write!(escaped, "<span>{char}</span>");
            }
            char => escaped.push(char),
        }
    }
    escaped
}

/// Whether a character makes something of those around it that neither a backslash nor an
/// entity prevents: GitHub looks for addresses, mentions and the like in the finished text,
/// where both are the character itself. An element of its own parts it from the others, as
/// GitHub's documentation does with a dollar sign.
fn stands_alone(char: char, before: &str, after: &str) -> bool {
    match char {
        // `$…$` is mathematics, `@name` tells somebody, `a@b.c` is an address, `#1` an issue.
        '$' | '@' | '#' => true,
        // `http://…`, `xmpp:…`, `:emoji:`, but not in the time of day.
        ':' => {
            let is_time = before.ends_with(|last: char| last.is_ascii_digit())
                && after.starts_with(|next: char| next.is_ascii_digit());
            !is_time && after.starts_with(|next: char| !next.is_whitespace())
        }
        // `www.…`
        '.' => {
            let start = before.len().saturating_sub(3);
            before.get(start..).is_some_and(|end| end.eq_ignore_ascii_case("www"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn no_name_becomes_markup_a_mention_or_a_link() {
        assert_eq!(escape("a|b"), r"a\|b");
        let mention = r"&lt;b&gt; &amp; \[x\](y) <span>@</span>team";
        assert_eq!(escape("<b> & [x](y) @team"), mention);
        let marks = "\\`\\*\\_\\~<span>#</span>\\!<span>$</span>\\\\\u{fffd}";
        assert_eq!(escape("`*_~#!$\\\n"), marks);
        assert_eq!(escape("http://x"), "http<span>:</span>//x");
        assert_eq!(escape("Www.x, ww.x, é.x"), "Www<span>.</span>x, ww.x, é.x");
        assert_eq!(escape("role: a: 02:03:04"), "role: a: 02:03:04");
        assert_eq!(escape("Zoë Quill ✈ (1.5)"), "Zoë Quill ✈ (1.5)");
    }
}
