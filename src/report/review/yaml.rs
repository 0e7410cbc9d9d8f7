//! YAML as a tree that knows where everything stands. Every value stays as it is written.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::position::{Position, RuleMistakes};

/// The deepest that a file may be nested. Whoever walks the tree needs as much stack.
const DEEPEST: usize = 64;

/// A value, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct YamlNode {
    pub(super) at: Position,
    pub(super) value: YamlValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum YamlValue {
    /// A single one, and whether it stands without quotation marks.
    Scalar {
        text: String,
        is_plain: bool,
    },
    List(Vec<YamlNode>),
    /// Keys and values, in their order. A key may stand there twice.
    Mapping(Vec<(YamlNode, YamlNode)>),
}

/// Reads the one document of a text; nothing where there is none.
pub(super) fn read(text: &str) -> Result<Option<YamlNode>, RuleMistakes> {
    let mut tree = TreeBuilder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| match error.info() {
            // The scanner looks ahead, and stops where it is this deep.
            info if info.contains("recursion") => mistake(*error.marker(), too_deep()),
            info => mistake(*error.marker(), format!("it is no YAML: {info}")),
        })?;
        tree.push(event, span.start)?;
    }
    Ok(tree.document)
}

/// The tree, as far as it is read.
#[derive(Default)]
struct TreeBuilder {
    /// Lists and mappings that haven't ended.
    open: Vec<YamlNode>,
    /// For each mapping among them, the key whose value is awaited.
    keys: Vec<Option<YamlNode>>,
    document: Option<YamlNode>,
}

impl TreeBuilder {
    fn push(&mut self, event: Event<'_>, marker: Marker) -> Result<(), RuleMistakes> {
        let at = position(marker);
        match event {
            Event::Alias(_) => {
                // A few of them can stand for more text than there is memory.
                return Err(mistake(marker, "an alias (*) repeats a value; write it out"));
            }
            Event::Scalar(text, style, ..) => {
                let is_plain = style == ScalarStyle::Plain;
                let value = YamlValue::Scalar { text: text.into_owned(), is_plain };
                return self.add(YamlNode { at, value });
            }
            Event::SequenceStart(..) => {
                self.open.push(YamlNode { at, value: YamlValue::List(Vec::new()) });
                self.keys.push(None);
            }
            Event::MappingStart(..) => {
                self.open.push(YamlNode { at, value: YamlValue::Mapping(Vec::new()) });
                self.keys.push(None);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.keys.pop();
                if let Some(node) = self.open.pop() {
                    return self.add(node);
                }
            }
            _ => {}
        }
        if self.open.len() > DEEPEST {
            return Err(mistake(marker, too_deep()));
        }
        Ok(())
    }

    /// Puts a whole value where it belongs.
    fn add(&mut self, node: YamlNode) -> Result<(), RuleMistakes> {
        let (Some(parent), Some(key)) = (self.open.last_mut(), self.keys.last_mut()) else {
            if self.document.is_some() {
                let text = "a second YAML document begins; there may be one";
                return Err(RuleMistakes::one(node.at, text));
            }
            self.document = Some(node);
            return Ok(());
        };
        match &mut parent.value {
            YamlValue::Mapping(pairs) => match key.take() {
                Some(key) => pairs.push((key, node)),
                None => *key = Some(node),
            },
            YamlValue::List(nodes) => nodes.push(node),
            // Only lists and mappings are opened.
            YamlValue::Scalar { .. } => {}
        }
        Ok(())
    }
}

fn too_deep() -> String {
    format!("it is nested more than {DEEPEST} deep")
}

fn position(marker: Marker) -> Position {
    Position { line: marker.line(), column: marker.col() + 1 }
}

fn mistake(marker: Marker, text: impl Into<String>) -> RuleMistakes {
    RuleMistakes::one(position(marker), text)
}

#[cfg(test)]
mod tests {
    use super::{YamlNode, YamlValue, read};

    fn problem(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn everything_knows_where_it_stands() {
        let tree = read("# rules\na: 1\nb:\n  - 'x y'\n  - {c: ~}\n").unwrap().unwrap();
        let YamlValue::Mapping(pairs) = &tree.value else { panic!("{tree:?}") };
        let places: Vec<_> =
            pairs.iter().map(|(key, value)| (key.at.to_string(), value.at.to_string())).collect();
        assert_eq!(places[0], ("2:1".to_owned(), "2:4".to_owned()));
        assert_eq!(places[1].0, "3:1");
        let YamlValue::List(list) = &pairs[1].1.value else { panic!("{tree:?}") };
        let text = YamlValue::Scalar { text: "x y".into(), is_plain: false };
        assert_eq!((list[0].at.to_string().as_str(), &list[0].value), ("4:5", &text));
        assert!(
            matches!(&list[1], YamlNode { value: YamlValue::Mapping(pairs), .. } if pairs.len() == 1)
        );
        assert_eq!(read("# nothing\n").unwrap(), None);
    }

    #[test]
    fn what_is_no_tree_of_a_reasonable_size_is_refused() {
        assert!(problem("a: [").contains("it is no YAML"), "{}", problem("a: ["));
        assert!(problem("a: 1\n---\nb: 2\n").contains("second YAML document"));
        let alias = format!("a: &a {}\nb: [{}]", "x".repeat(500_000), "*a, ".repeat(100_000));
        assert!(problem(&alias).contains("alias"), "{}", problem(&alias));
        for nested in ["[".repeat(1_000), "- ".repeat(1_000), "{a: ".repeat(1_000)] {
            let problem = problem(&nested);
            assert!(problem.contains("nested"), "{problem}");
        }
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(read(&deep(64)).is_ok());
        assert!(problem(&deep(65)).contains("nested more than 64 deep"));
    }
}
