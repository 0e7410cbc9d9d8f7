//! What a text looks like, for whoever has to tell one from another.

use std::fmt::Write as _;

use unicode_security::skeleton;

use crate::baton::printable;

/// What texts have in common that nobody can tell apart by their looks: letters that look alike
/// ([UTS 39](https://www.unicode.org/reports/tr39/#Confusable_Detection)), another form of the
/// same letter, other blanks, more of them, and what isn't seen at all. Nothing to show.
pub fn confusable_skeleton(text: &str) -> String {
    let seen: String = printable(text).chars().filter(|char| !is_ignorable(*char)).collect();
    let skeleton: String = skeleton(&seen).collect();
    skeleton.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in quotation marks, with everything that may look like something else by its code
/// point: `"Zo\u{eb}"`.
pub fn by_code_point(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for (at, char) in text.char_indices() {
        let is_blank_between_words = char == ' '
            && text[..at].ends_with(|before: char| before.is_ascii_graphic())
            && text[at + 1..].starts_with(|after: char| after.is_ascii_graphic());
        if char.is_ascii_graphic() && !matches!(char, '"' | '\\') || is_blank_between_words {
            quoted.push(char);
        } else {
            let _ = write!(quoted, "\\u{{{:x}}}", u32::from(char));
        }
    }
    quoted.push('"');
    quoted
}

/// Whether a character isn't seen: Unicode's `Default_Ignorable_Code_Point`.
fn is_ignorable(char: char) -> bool {
    matches!(
        char,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'
            | '\u{1160}'
            | '\u{17b4}'
            | '\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::{by_code_point, confusable_skeleton};

    #[test]
    fn texts_that_nobody_can_tell_apart_look_alike() {
        for (one, other) in [
            ("Zo\u{eb}", "Zoe\u{308}"),
            ("Help desk", "Help\u{a0}desk"),
            ("Help desk", " Help  desk"),
            ("Helpdesk", "Help\u{200b}desk"),
            ("Helpdesk", "H\u{435}lpdesk"),
            ("x\u{2028}", "x\u{85}"),
        ] {
            assert_eq!(confusable_skeleton(one), confusable_skeleton(other), "{one:?} {other:?}");
        }
        for (one, other) in
            [("Zoe", "Zo\u{eb}"), ("Helpdesk", "helpdesk"), ("Help desk", "Helpdesk")]
        {
            assert_ne!(confusable_skeleton(one), confusable_skeleton(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_may_look_like_something_else_is_told_by_its_code_point() {
        assert_eq!(by_code_point("Zo\u{eb} Q"), r#""Zo\u{eb}\u{20}Q""#);
        assert_eq!(by_code_point("a b  c "), r#""a b\u{20}\u{20}c\u{20}""#);
        assert_eq!(by_code_point("\"\\\u{202e}"), r#""\u{22}\u{5c}\u{202e}""#);
    }
}
