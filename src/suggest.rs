//! What was probably meant by a text that names nothing.

use std::fmt;

/// How many ids are named instead.
const NEAREST: usize = 3;

/// How much alike two texts have to be, from 0 to 1, for one to be meant by the other.
const ALIKE: f64 = 0.8;

/// The ids nearest to a text, of all that were offered.
#[derive(Debug, Clone)]
pub struct Suggestions {
    /// What was wanted, in lower case.
    wanted: String,
    /// How near each is, the nearest first.
    found: Vec<(f64, String)>,
}

impl Suggestions {
    /// None yet, to `text`.
    pub(crate) fn to(text: &str) -> Self {
        Self { wanted: text.to_lowercase(), found: Vec::new() }
    }

    /// Takes `id` if the text is near to it or to another of its names.
    pub(crate) fn offer<'name>(
        &mut self,
        id: &'name str,
        other_names: impl IntoIterator<Item = &'name str>,
    ) {
        let names = std::iter::once(id).chain(other_names);
        let likeness = names
            .map(|name| strsim::jaro_winkler(&name.to_lowercase(), &self.wanted))
            .fold(0.0, f64::max);
        if likeness >= ALIKE {
            self.found.push((likeness, id.to_owned()));
            self.found.sort_by(|one, other| other.0.total_cmp(&one.0));
            self.found.truncate(NEAREST);
        }
    }

    /// Whether none is near.
    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

impl fmt::Display for Suggestions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids: Vec<_> = self.found.iter().map(|(_, id)| id.as_str()).collect();
        match &ids[..] {
            [] => formatter.write_str("nothing in it is called like that"),
            [one] => write!(formatter, "did you mean {one}?"),
            [others @ .., last] => {
                write!(formatter, "did you mean {} or {last}?", others.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Suggestions;

    #[test]
    fn the_nearest_three_are_named_nearest_first_and_by_id() {
        let mut nearest = Suggestions::to("Owner");
        assert_eq!(nearest.to_string(), "nothing in it is called like that");
        nearest.offer("auditor", ["Auditor"]);
        assert_eq!(nearest.to_string(), "nothing in it is called like that");
        nearest.offer("owners-of-all", []);
        assert_eq!(nearest.to_string(), "did you mean owners-of-all?");
        nearest.offer("owners", []);
        nearest.offer("r-1", ["owner"]);
        nearest.offer("owned", []);
        assert_eq!(nearest.to_string(), "did you mean r-1, owners or owned?");
    }
}
