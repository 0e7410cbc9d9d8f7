//! A diff for pages that render Markdown, such as the summary of a CI job.

use std::fmt::Write as _;

use super::table::{Line, entitled, lines, named, own_changes, summary, sync};
use super::{Diff, Held, how};

/// The diff as Markdown.
pub fn markdown(diff: &Diff) -> String {
    let mut text = format!(
        "### Access changes\n\nFrom {} to {}.\n",
        escape(&sync(&diff.old)),
        escape(&sync(&diff.new))
    );
    if diff.is_empty() {
        text.push_str("\nNo changes.\n");
        return text;
    }
    let _ = writeln!(text, "\n{}", summary(diff));
    let resources = lines(&diff.resources, |row| vec![named(row)]);
    section(&mut text, "Resources", &["Resource"], &resources);
    let entitlements = lines(&own_changes(diff), |row| vec![entitled(row)]);
    section(&mut text, "Entitlements", &["Entitlement"], &entitlements);
    let grants = lines(&diff.grants, |row: &Held| {
        vec![named(&row.principal), entitled(&row.entitlement), how(row)]
    });
    section(&mut text, "Access", &["Who", "What", "How"], &grants);
    text
}

fn section(text: &mut String, title: &str, columns: &[&str], lines: &[Line]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n#### {title}\n\n| | {} | Changes |", columns.join(" | "));
    let _ = writeln!(text, "|---|{}---|", "---|".repeat(columns.len()));
    for line in lines {
        let sign = match line.sign {
            '+' => "added",
            '-' => "removed",
            _ => "changed",
        };
        let cells: Vec<_> = line.columns.iter().map(|cell| escape(cell)).collect();
        let changes: Vec<_> = line.changes.iter().map(|change| escape(change)).collect();
        let _ = writeln!(text, "| {sign} | {} | {} |", cells.join(" | "), changes.join("<br>"));
    }
}

/// Names come from people: none may become markup.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in crate::baton::printable(text).chars() {
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
