//! Objects that have a key twice. JSON leaves open which of the two values counts, so that such
//! an answer would say one thing to us and another to whoever else reads it.

use std::borrow::Cow;

use super::text::Text;

/// A key that an object in `json`, which is valid, has twice, in whatever spelling.
pub(super) fn twice(json: &[u8]) -> Option<String> {
    // Of all objects that are open, one after the other.
    let mut keys: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut open: Vec<Container> = Vec::new();
    let mut at = 0;
    while let Some(byte) = json.get(at) {
        match byte {
            b'{' => open.push(Container::Object { first_key: keys.len(), is_key_next: true }),
            b'[' => open.push(Container::Array),
            b'}' | b']' => {
                if let Some(Container::Object { first_key, .. }) = open.pop() {
                    let own = keys.get_mut(first_key..).unwrap_or_default();
                    own.sort_unstable();
                    if let Some([key, _]) = own.array_windows().find(|[one, next]| one == next) {
                        return Some(String::from_utf8_lossy(key).into_owned());
                    }
                    keys.truncate(first_key);
                }
            }
            b',' => {
                if let Some(Container::Object { is_key_next, .. }) = open.last_mut() {
                    *is_key_next = true;
                }
            }
            b'"' => {
                let string = string(&json[at..]);
                if let Some(Container::Object { is_key_next: is_key @ true, .. }) = open.last_mut()
                {
                    *is_key = false;
                    keys.push(key(string));
                }
                at += string.len();
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    None
}

enum Container {
    Object { first_key: usize, is_key_next: bool },
    Array,
}

/// The string that `json` begins with, in its quotation marks.
fn string(json: &[u8]) -> &[u8] {
    let mut end = 1;
    while let Some(found) = memchr::memchr2(b'"', b'\\', json.get(end..).unwrap_or_default()) {
        end += found + 1;
        if json[end - 1] == b'"' {
            return &json[..end];
        }
        // What is escaped ends nothing.
        end += 1;
    }
    json
}

/// What a key in quotation marks says.
fn key(string: &[u8]) -> Cow<'_, [u8]> {
    if !string.contains(&b'\\') {
        return Cow::Borrowed(string.get(1..string.len() - 1).unwrap_or_default());
    }
    match serde_json::from_slice::<Text>(string) {
        Ok(text) => Cow::Owned(String::from(text).into_bytes()),
        Err(_) => Cow::Borrowed(string),
    }
}

#[cfg(test)]
mod tests {
    use super::twice;

    #[test]
    fn a_key_that_stands_twice_in_one_object_is_found_in_every_spelling_and_depth() {
        for (json, key) in [
            (r#"{"a":1,"a":1}"#, "a"),
            (r#"{"a":1,"\u0061":2}"#, "a"),
            (r#"{"members":[{"id":"a"}],"x":{},"members":[]}"#, "members"),
            (r#"{"d":[[{"x":[1,2],"y":"}","x":null}]]}"#, "x"),
            (r#"{"\"":1,"b":"\\","\u0022":2}"#, "\""),
            (r#"{"":1,"":2}"#, ""),
            (r#"{"é":1,"\u00e9":2}"#, "é"),
        ] {
            assert_eq!(twice(json.as_bytes()).as_deref(), Some(key), "{json}");
        }
    }

    #[test]
    fn the_same_key_in_several_objects_and_the_same_value_are_fine() {
        for json in [
            r#"{"a":{"a":[{"a":"a"},{"a":"a"}]},"b":"a","c":["a","a"]}"#,
            r#"[{"id":"a,\"id\":"},{"id":"{"},{"id":"\\"},{"id":"\\\""}]"#,
            r#"{"a\\":1,"a":2,"A":3}"#,
            "\"a\"",
            "",
        ] {
            assert_eq!(twice(json.as_bytes()), None, "{json}");
        }
    }
}
