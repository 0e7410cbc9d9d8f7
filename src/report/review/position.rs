//! Where something stands in the rules, and what is wrong there.

use std::fmt;

/// Where something stands in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl Position {
    /// Where a text begins.
    pub(super) const START: Self = Self { line: 1, column: 1 };
}

/// Something wrong with the rules.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleMistake {
    /// Where.
    pub at: Position,
    /// What.
    pub text: String,
}

/// All that is wrong with the rules, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleMistakes(Vec<RuleMistake>);

impl RuleMistakes {
    /// A single one.
    pub(super) fn one(at: Position, text: impl Into<String>) -> Self {
        Self(vec![RuleMistake { at, text: text.into() }])
    }

    /// Notes a mistake.
    pub(super) fn add(&mut self, at: Position, text: impl Into<String>) {
        self.0.push(RuleMistake { at, text: text.into() });
    }

    /// Fails if there are any; each stands where it is met first.
    pub(super) fn check(mut self) -> Result<(), Self> {
        if self.0.is_empty() {
            return Ok(());
        }
        self.0.sort();
        self.0.dedup();
        Err(self)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &RuleMistake> {
        self.0.iter()
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)
    }
}

impl fmt::Display for RuleMistakes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, mistake) in self.0.iter().enumerate() {
            let joint = if number == 0 { "" } else { "; " };
            write!(formatter, "{joint}{}: {}", mistake.at, mistake.text)?;
        }
        Ok(())
    }
}
