//! A mapping whose keys are known, read so that everything wrong in it is told at once.

use std::collections::{BTreeMap, HashSet};

use crate::suggest::Suggestions;

use super::position::{Position, RuleMistakes};
use super::rules::Located;
use super::yaml::{YamlNode, YamlValue};

/// The keys of a mapping that have a value.
pub(super) struct YamlFields<'node> {
    /// Where the mapping begins.
    pub(super) at: Position,
    values: BTreeMap<&'static str, (Position, &'node YamlNode)>,
}

impl<'node> YamlFields<'node> {
    /// Reads a mapping; `what` it is, in words. Nothing of what is no mapping.
    pub(super) fn read(
        node: &'node YamlNode,
        what: &str,
        keys: &[&'static str],
        mistakes: &mut RuleMistakes,
    ) -> Option<Self> {
        let YamlValue::Mapping(pairs) = &node.value else {
            mistakes.add(node.at, format!("{what} is a list of `key: value`"));
            return None;
        };
        let mut values: BTreeMap<&'static str, (Position, &YamlNode)> = BTreeMap::new();
        for (key, value) in pairs {
            let YamlValue::Scalar { text, .. } = &key.value else {
                mistakes.add(key.at, "a key is a single word");
                continue;
            };
            let Some(known) = keys.iter().find(|known| *known == text) else {
                let mut near = Suggestions::to(text);
                for known in keys {
                    near.offer(known, []);
                }
                let near = if near.is_empty() {
                    format!("{what} has {}", keys.join(", "))
                } else {
                    near.to_string()
                };
                mistakes.add(key.at, format!("unknown key {text:?}; {near}"));
                continue;
            };
            if values.contains_key(known) {
                mistakes.add(key.at, format!("{known} stands there twice"));
            } else {
                values.insert(known, (key.at, value));
            }
        }
        Some(Self { at: node.at, values })
    }

    /// Where a key stands, if it is there.
    pub(super) fn place(&self, key: &str) -> Option<Position> {
        self.values.get(key).map(|(at, _)| *at)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'node YamlNode> {
        self.values.get(key).map(|(_, value)| *value)
    }

    /// A text that isn't empty.
    pub(super) fn text(&self, key: &str, mistakes: &mut RuleMistakes) -> Option<Located<String>> {
        let node = self.get(key)?;
        let text = text(node);
        if text.is_none() {
            mistakes.add(node.at, format!("{key} is a text"));
        }
        text
    }

    /// A text that has to be there.
    pub(super) fn required(
        &self,
        key: &str,
        what: &str,
        mistakes: &mut RuleMistakes,
    ) -> Option<Located<String>> {
        if self.get(key).is_none() {
            mistakes.add(self.at, format!("{what} needs {key}"));
        }
        self.text(key, mistakes)
    }

    /// One text, or a list of them.
    pub(super) fn texts(
        &self,
        key: &str,
        mistakes: &mut RuleMistakes,
    ) -> Option<Vec<Located<String>>> {
        let node = self.get(key)?;
        let YamlValue::List(nodes) = &node.value else {
            return self.text(key, mistakes).map(|text| vec![text]);
        };
        let (mut texts, mut seen) = (Vec::new(), HashSet::new());
        for node in nodes {
            match text(node) {
                Some(text) if !seen.insert(text.value.clone()) => {
                    mistakes.add(node.at, format!("{:?} stands there twice", text.value));
                }
                Some(text) => texts.push(text),
                None => mistakes.add(node.at, format!("{key} is an id, or a list of such")),
            }
        }
        Some(texts)
    }

    /// A value that `parse` understands; `what` it is, in words.
    pub(super) fn parsed<T>(
        &self,
        key: &str,
        what: &str,
        mistakes: &mut RuleMistakes,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<Located<T>> {
        let node = self.get(key)?;
        let value = match &node.value {
            YamlValue::Scalar { text, .. } => parse(text),
            _ => None,
        };
        if value.is_none() {
            mistakes.add(node.at, format!("{key} is {what}"));
        }
        value.map(|value| Located { at: node.at, value })
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &str, mistakes: &mut RuleMistakes) -> Option<bool> {
        let flag = |text: &str| match text {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        };
        self.parsed(key, "true or false", mistakes, flag).map(|flag| flag.value)
    }

    /// A whole number.
    pub(super) fn number(&self, key: &str, mistakes: &mut RuleMistakes) -> Option<Located<u64>> {
        self.parsed(key, "a whole number, at least 0", mistakes, |text| {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
        })
    }
}

/// A text that isn't empty, nor what YAML has for nothing.
fn text(node: &YamlNode) -> Option<Located<String>> {
    let YamlValue::Scalar { text, is_plain } = &node.value else { return None };
    let is_null = *is_plain && matches!(text.as_str(), "~" | "null" | "Null" | "NULL");
    let is_text = !is_null && !text.trim().is_empty();
    is_text.then(|| Located { at: node.at, value: text.clone() })
}
