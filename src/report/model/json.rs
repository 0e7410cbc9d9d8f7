//! JSON for people who look at it as well: indented, and nothing in a name steers a terminal.

use std::io::{self, Write};

use serde::Serialize;

use crate::baton::legible_json;

/// Writes `value` as indented JSON with a line feed at its end. Characters that could steer a
/// terminal are escaped: programs read the same text, and people see what it is.
pub fn json(value: &impl Serialize, output: impl Write) -> io::Result<()> {
    let mut output = PrintableJsonWriter(output);
    serde_json::to_writer_pretty(&mut output, value)?;
    output.write_all(b"\n")
}

/// Escapes what `serde_json` leaves as it is.
struct PrintableJsonWriter<W>(W);

impl<W: Write> Write for PrintableJsonWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.iter().all(|byte| *byte < 0x7f) {
            self.0.write_all(bytes)?;
        } else {
            let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
            self.0.write_all(legible_json(text).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::json;

    #[test]
    fn what_could_steer_a_terminal_is_escaped_and_means_the_same() {
        let name = "Zoë ✈ \u{1b}[2J \u{9b}1m \u{7f} \"\\\n";
        let mut text = Vec::new();
        json(&[name], &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(text, "[\n  \"Zoë ✈ \\u001b[2J \\u009b1m \\u007f \\\"\\\\\\n\"\n]\n");
        assert_eq!(serde_json::from_str::<Vec<String>>(&text).unwrap(), [name]);
    }
}
