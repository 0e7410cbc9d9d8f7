//! What answers look like: names, types and counts, and never a value, so that they may be
//! shown to everybody.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};

/// A longer name is no field's, and so may say something of the organization.
const LONGEST_NAME: usize = 40;

/// An object with more fields is a table, whose keys may be ids.
const MOST_FIELDS: usize = 40;

/// What the answers to one client's requests looked like.
#[derive(Debug, Default)]
pub struct SchemaReport(Mutex<Vec<Value>>);

impl SchemaReport {
    /// All of them as JSON, by endpoint, in the order in which they came.
    pub fn json(&self) -> Value {
        let mut schema_report = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        schema_report
            .sort_by(|one, other| one["endpoint"].as_str().cmp(&other["endpoint"].as_str()));
        Value::Array(schema_report)
    }

    pub(super) fn record(
        &self,
        endpoint: &str,
        status: StatusCode,
        headers: &HeaderMap,
        body: &[u8],
    ) {
        let mut names: Vec<_> = headers.keys().map(|name| safe(name.as_str())).collect();
        names.sort_unstable();
        let body = match serde_json::from_slice(body) {
            Ok(value) => {
                let mut shape = SchemaNode::default();
                shape.add(&value);
                shape.json()
            }
            Err(_) if body.is_empty() => json!("empty"),
            Err(_) => json!("no JSON"),
        };
        let shape = json!({
            "endpoint": format!("GET {endpoint}"),
            "status": status.as_u16(),
            "headers": names,
            "body": body,
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(shape);
    }
}

/// What several values have in common.
#[derive(Default)]
struct SchemaNode {
    /// How many there are of each type.
    types: BTreeMap<&'static str, usize>,
    /// Of objects: each field's values.
    fields: BTreeMap<String, SchemaNode>,
    /// Of arrays: all their items.
    items: Option<Box<SchemaNode>>,
}

impl SchemaNode {
    fn add(&mut self, value: &Value) {
        let name = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "fraction",
            Value::Number(_) => "integer",
            Value::String(text) if text.trim().is_empty() => "blank string",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(fields) if fields.len() > MOST_FIELDS => "object of many fields",
            Value::Object(_) => "object",
        };
        *self.types.entry(name).or_default() += 1;
        match value {
            Value::Array(items) => {
                let shape = self.items.get_or_insert_default();
                for item in items {
                    shape.add(item);
                }
            }
            Value::Object(fields) if fields.len() <= MOST_FIELDS => {
                for (name, value) in fields {
                    self.fields.entry(safe(name)).or_default().add(value);
                }
            }
            _ => {}
        }
    }

    fn json(&self) -> Value {
        let mut json: Map<String, Value> =
            self.types.iter().map(|(name, count)| ((*name).to_owned(), json!(count))).collect();
        if !self.fields.is_empty() {
            let fields = self.fields.iter().map(|(name, shape)| (name.clone(), shape.json()));
            json.insert("fields".to_owned(), fields.collect::<Map<_, _>>().into());
        }
        if let Some(items) = self.items.as_ref().filter(|items| !items.types.is_empty()) {
            json.insert("items".to_owned(), items.json());
        }
        Value::Object(json)
    }
}

/// A name, unless it doesn't look like one that a programmer has thought of.
fn safe(name: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let begins = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if begins && name.len() <= LONGEST_NAME && name.bytes().all(is_plain) {
        name.to_owned()
    } else {
        "(no plain name)".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;
    use reqwest::header::HeaderMap;
    use serde_json::{Value, json};

    use super::SchemaReport;

    fn body(body: &str) -> Value {
        let schema_report = SchemaReport::default();
        schema_report.record("/v1/x", StatusCode::OK, &HeaderMap::new(), body.as_bytes());
        schema_report.json()[0]["body"].clone()
    }

    #[test]
    fn rows_are_counted_by_field_and_type_without_their_values() {
        let shape = body(
            r#"{"data":{"members":[{"id":"ada","name":null,"emails":["a@b.test",{"address":"x"}]},
            {"id":"bob","name":"","n":1.0}]},"pagination":{"hasNextPage":false,"count":2}}"#,
        );
        let address = json!({"object": 1, "string": 1, "fields": {"address": {"string": 1}}});
        let member = json!({"object": 2, "fields": {
            "id": {"string": 2}, "name": {"null": 1, "blank string": 1}, "n": {"fraction": 1},
            "emails": {"array": 1, "items": address},
        }});
        assert_eq!(
            shape,
            json!({"object": 1, "fields": {
                "data": {"object": 1, "fields": {"members": {"array": 1, "items": member}}},
                "pagination": {"object": 1, "fields": {
                    "hasNextPage": {"boolean": 1}, "count": {"integer": 1},
                }},
            }})
        );
    }

    #[test]
    fn what_may_be_a_value_is_not_shown_as_a_name() {
        let shape = body(r#"{"a b":1,"ada@acme.test":2,"7f":3,"":4}"#);
        assert_eq!(shape["fields"], json!({"(no plain name)": {"integer": 4}}));
        let table: serde_json::Map<_, _> =
            (0..60).map(|number| (format!("user-{number}"), json!(1))).collect();
        assert_eq!(body(&Value::Object(table).to_string()), json!({"object of many fields": 1}));
        assert_eq!(body("<html>acme</html>"), json!("no JSON"));
        assert_eq!(body(""), json!("empty"));
    }
}
