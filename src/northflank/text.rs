//! Texts of the API.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use serde::de::{Deserializer, Error, Visitor};
use serde::{Deserialize, Serialize};

/// What stands in a body's place of what is no character. Unicode never makes this one.
pub(super) const NO_CHARACTER: char = '\u{fffe}';

/// A text of the API. What is no character in it is U+FFFD.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Text(String);

impl Text {
    /// The text, unless it is empty or blank.
    pub fn filled(&self) -> Option<&str> {
        Some(self.0.as_str()).filter(|text| !text.trim().is_empty())
    }
}

impl std::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl fmt::Display for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(if text.contains(NO_CHARACTER) {
            text.replace(NO_CHARACTER, "\u{fffd}")
        } else {
            text.to_owned()
        }))
    }
}

/// A body of JSON as text, in which [`NO_CHARACTER`] stands for halves of surrogate pairs, which
/// JSON may escape and no text can hold, and for what isn't UTF-8. So that neither fails a whole
/// page, and yet is known for what it is.
pub(super) fn json_text(body: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(body) {
        return without_halves(text).map_or(Cow::Borrowed(text), Cow::Owned);
    }
    let mut text = String::with_capacity(body.len());
    for chunk in body.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend((!chunk.invalid().is_empty()).then_some(NO_CHARACTER));
    }
    Cow::Owned(without_halves(&text).unwrap_or(text))
}

/// The same without halves of surrogate pairs, if it has any.
fn without_halves(json: &str) -> Option<String> {
    let mut text = None;
    let (mut copied, mut at) = (0, 0);
    while let Some(found) = memchr(b'\\', json.as_bytes().get(at..)?) {
        let start = at + found;
        let is_low = |unit: &u16| (0xdc00..=0xdfff).contains(unit);
        match escaped(&json[start..]) {
            Some(0xd800..=0xdbff) if escaped(&json[start + 6..]).is_some_and(|it| is_low(&it)) => {
                at = start + 12;
            }
            Some(0xd800..=0xdfff) => {
                at = start + 6;
                let text = text.get_or_insert_with(|| String::with_capacity(json.len()));
                text.push_str(&json[copied..start]);
                text.push(NO_CHARACTER);
                copied = at;
            }
            // Whatever is escaped is no beginning of an escape itself.
            _ => at = start + 2,
        }
    }
    text.map(|text| text + &json[copied..])
}

/// The UTF-16 unit of an escape that `json` begins with, if it does.
fn escaped(json: &str) -> Option<u16> {
    let digits = json.strip_prefix("\\u")?.get(..4)?;
    let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    u16::from_str_radix(digits, 16).ok().filter(|_| is_number)
}

#[cfg(test)]
mod tests {
    use super::{NO_CHARACTER, Text, json_text};

    #[test]
    fn what_is_no_character_is_marked_wherever_it_stands_and_nothing_else_changes() {
        for (body, marked) in [
            (r#""plain \u00e9 \ud83d\ude00 \\ud83d \" é""#, None),
            (r#""\ud83d""#, Some(r##""#""##)),
            (r#""\ude00\uD83D\ud83d\ude00x""#, Some(r###""##\ud83d\ude00x""###)),
            (r"\\\ud83d\\\\ud83d", Some(r"\\#\\\\ud83d")),
            (r#"{"\udfff":["\ud83d\u0041"]}"#, Some(r##"{"#":["#\u0041"]}"##)),
            (r#""\ud83d\uzzzz"#, Some(r##""#\uzzzz"##)),
            (r#""\ud83"#, None),
            (r#""\ud83d\ude0"#, Some(r##""#\ude0"##)),
            (r#""\u+d83\"#, None),
            ("\"\\é\\", None),
            ("", None),
        ] {
            let expected = marked.unwrap_or(body).replace('#', &NO_CHARACTER.to_string());
            assert_eq!(json_text(body.as_bytes()), expected, "{body}");
        }
        let expected = format!("\"a{NO_CHARACTER}{NO_CHARACTER}bé{NO_CHARACTER}\"");
        assert_eq!(json_text(b"\"a\xff\xfeb\xc3\xa9\\ud83d\""), expected);
    }

    #[test]
    fn a_text_has_a_character_in_place_of_what_is_none() {
        let body = br#""x\ud83dy\ud83d\ude00""#;
        let text: Text = serde_json::from_str(&json_text(body)).unwrap();
        assert_eq!(&*text, "x\u{fffd}y😀");
    }
}
