//! Texts, each kept once and called by a number.

use std::hash::RandomState;

use string_interner::backend::StringBackend;
use string_interner::symbol::SymbolU32;
use string_interner::{StringInterner, Symbol};

use crate::sync::error::TooManyRows;

/// Texts by number, from zero on. Whoever names them can't have them collide.
#[derive(Debug)]
pub(super) struct Interner(StringInterner<StringBackend, RandomState>);

impl Default for Interner {
    fn default() -> Self {
        Self(StringInterner::with_hasher(RandomState::new()))
    }
}

impl Interner {
    /// The number of `text`: the one that it has, or else the next one.
    pub(super) fn number(&mut self, text: &str) -> Result<u32, TooManyRows> {
        u32::try_from(self.0.get_or_intern(text).to_usize()).map_err(|_| TooManyRows)
    }

    /// The text of a number that [`Self::number`] gave.
    pub(super) fn get(&self, number: u32) -> &str {
        let symbol = usize::try_from(number).ok().and_then(SymbolU32::try_from_usize);
        symbol.and_then(|symbol| self.0.resolve(symbol)).unwrap_or_default()
    }

    /// All numbers, in the order of their texts.
    pub(super) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).take(self.0.len()).collect();
        order.sort_unstable_by_key(|number| self.get(*number));
        order
    }
}
