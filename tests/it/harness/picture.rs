//! A terminal's window as a picture for documents: an SVG, which is text and can be compared.

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

/// Sizes in pixels: of a character, of the window's frame, and of its bar.
const CHARACTER: (f64, f64) = (8.4, 19.0);
const FRAME: f64 = 20.0;
const BAR: f64 = 34.0;

/// A window of so many columns that shows `text`, in which styles are words as
/// [`Screen::picture`](super::screen::Screen::picture) writes them.
pub fn svg(text: &str, columns: usize) -> String {
    let rows = text.lines().count();
    let (width, height) = (
        across(columns) + 2.0 * FRAME,
        f64::from(u32::try_from(rows).unwrap()) * CHARACTER.1 + BAR + FRAME,
    );
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">
<style>
text {{ fill: #d0d7de; white-space: pre }}
.bold {{ font-weight: 600; fill: #ffffff }}
.dim {{ fill: #8b949e }}
.italic {{ font-style: italic }}
.red {{ fill: #ff7b72 }}
.green {{ fill: #56d364 }}
.yellow {{ fill: #e3b341 }}
.cyan {{ fill: #76e3ea }}
</style>
<rect width="100%" height="100%" rx="10" fill="#0d1117" stroke="#30363d"/>
<circle cx="20" cy="18" r="6" fill="#ff5f57"/>
<circle cx="40" cy="18" r="6" fill="#febc2e"/>
<circle cx="60" cy="18" r="6" fill="#28c840"/>
"##
    );
    let mut style = "";
    for (row, line) in text.lines().enumerate() {
        let y = BAR + CHARACTER.1 * (f64::from(u32::try_from(row).unwrap()) + 0.75);
        let mut column = 0;
        for (number, part) in line.split('{').enumerate() {
            let mut shown = part;
            if number > 0 {
                (style, shown) = part.split_once('}').unwrap();
            }
            let words = shown.trim_start_matches(' ');
            let x = FRAME + across(column + shown.len() - words.len());
            column += shown.width();
            let words = words.trim_end();
            if words.is_empty() {
                continue;
            }
            // The length holds characters in their columns, whatever font there is.
            let length = across(words.width());
            let words = words.replace('&', "&amp;").replace('<', "&lt;");
            writeln!(
                svg,
                r#"<text class="{style}" x="{x:.1}" y="{y:.1}" textLength="{length:.1}" lengthAdjust="spacingAndGlyphs">{words}</text>"#
            )
            .unwrap();
        }
    }
    svg + "</svg>\n"
}

fn across(columns: usize) -> f64 {
    f64::from(u32::try_from(columns).unwrap()) * CHARACTER.0
}
