//! Columns of a table for a terminal.

use unicode_width::UnicodeWidthStr;

/// Texts that are wider than so many columns don't move what stands beside the others.
const WIDEST: usize = 100;

/// How wide a column of these texts is.
pub fn column_width<'text>(texts: impl IntoIterator<Item = &'text str>) -> usize {
    let widths = texts.into_iter().map(UnicodeWidthStr::width);
    widths.filter(|width| *width <= WIDEST).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::column_width;

    #[test]
    fn a_column_is_as_wide_as_its_widest_text_that_is_no_wall() {
        assert_eq!(column_width([]), 0);
        assert_eq!(column_width(["a", "Zoë ✈", "名前"]), 5);
        assert_eq!(column_width(["a", &"x".repeat(100), &"x".repeat(70_000)]), 100);
    }
}
