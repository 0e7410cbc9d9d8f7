//! Records of CSV (RFC 4180), which no spreadsheet misreads.

use std::borrow::Cow;
use std::io::{self, Write};

/// What a spreadsheet takes for the beginning of a formula, wide signs too, or for blanks
/// before one.
const FORMULA: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// What stands in quotation marks: all that ends a cell in anybody's reading. Where a comma is
/// the decimal sign, spreadsheets take a semicolon for the end of a cell.
const ENDS: [char; 7] = [',', ';', '\t', '|', '"', '\r', '\n'];

/// Writes one record.
pub fn csv_record(cells: &[&str], output: &mut impl Write) -> io::Result<()> {
    for (number, cell) in cells.iter().enumerate() {
        if number > 0 {
            output.write_all(b",")?;
        }
        output.write_all(quoted(&guarded(cell)).as_bytes())?;
    }
    output.write_all(b"\r\n")
}

/// A cell that ends where it ends, whoever reads it.
fn quoted(cell: &str) -> Cow<'_, str> {
    if cell.contains(ENDS) {
        format!("\"{}\"", cell.replace('"', "\"\"")).into()
    } else {
        cell.into()
    }
}

/// A cell that no spreadsheet takes for a formula.
fn guarded(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(FORMULA) { format!("'{cell}").into() } else { cell.into() }
}

#[cfg(test)]
mod tests {
    use super::{guarded, quoted};

    #[test]
    fn a_cell_that_begins_like_a_formula_gets_an_apostrophe_and_every_other_is_exact() {
        for cell in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=x", "＝1", "＋1", "－1", "＠A"]
        {
            assert_eq!(guarded(cell), format!("'{cell}"));
        }
        for cell in ["", "a=1", " =1", "'=1", "Zoë ✈", "a\tb", "a＝1"] {
            assert_eq!(guarded(cell), cell);
        }
    }

    #[test]
    fn what_could_end_a_cell_stands_in_quotation_marks() {
        for cell in ["a;=1", "a,b", "a\t=1", "a|=1", "two\r\nlines", "two\nlines"] {
            assert_eq!(quoted(cell), format!("\"{cell}\""));
        }
        assert_eq!(quoted("say \"=1\""), "\"say \"\"=1\"\"\"");
        for cell in ["", "Ada Marlow", "a:b/c", "Zoë ✈", "'=1"] {
            assert_eq!(quoted(cell), cell);
        }
    }
}
