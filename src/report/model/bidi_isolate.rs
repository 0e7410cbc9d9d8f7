//! Names that run from right to left, kept from turning around what stands beside them.

use std::borrow::Cow;

use crate::baton::printable;

/// A name that turns nothing around it: between isolates
/// ([UAX 9](https://www.unicode.org/reports/tr9/#Explicit_Directional_Isolates)) if it runs from
/// right to left, or may.
pub fn isolated(name: &str) -> Cow<'_, str> {
    if name.chars().any(turns) {
        format!("\u{2068}{}\u{2069}", printable(name)).into()
    } else {
        name.into()
    }
}

/// Whether a character is of a script that runs from right to left, or says that text does.
fn turns(char: char) -> bool {
    matches!(
        char,
        '\u{590}'..='\u{8ff}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefe}'
            | '\u{10800}'..='\u{10fff}'
            | '\u{1e800}'..='\u{1efff}'
    )
}

#[cfg(test)]
mod tests {
    use super::isolated;

    #[test]
    fn only_a_name_that_may_turn_others_around_is_isolated() {
        assert_eq!(isolated("Zoë ✈ (名前)"), "Zoë ✈ (名前)");
        assert_eq!(isolated("צוות"), "\u{2068}צוות\u{2069}");
        assert_eq!(isolated("فريق a"), "\u{2068}فريق a\u{2069}");
        // No end of its own gets a name out.
        assert_eq!(isolated("a\u{2069}\u{202e}b"), "\u{2068}a\u{fffd}\u{fffd}b\u{2069}");
    }
}
