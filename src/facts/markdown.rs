//! Text in Markdown.

use crate::baton::printable;

/// Names come from people: none may become markup.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in printable(text).chars() {
        match char {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // A bare `@name` would notify somebody.
            '@' => escaped.push_str("&#64;"),
            // `$…$` is mathematics on GitHub, which a backslash doesn't prevent for certain: this is
            // how its documentation writes a dollar sign that is none.
            '$' => escaped.push_str("<span>$</span>"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(char);
            }
            char => escaped.push(char),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn no_name_becomes_markup_or_a_mention() {
        assert_eq!(escape("a|b"), r"a\|b");
        assert_eq!(escape("<b> & [x](y) @team"), r"&lt;b&gt; &amp; \[x\](y) &#64;team");
        assert_eq!(escape("`*_~#!$\\\n"), "\\`\\*\\_\\~\\#\\!<span>$</span>\\\\\u{fffd}");
        assert_eq!(escape("Zoë Quill ✈"), "Zoë Quill ✈");
    }
}
