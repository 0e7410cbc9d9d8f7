//! Texts, each kept once and called by a number.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::sync::error::TooManyRows;

/// Texts in one piece of memory, one after another.
#[derive(Debug, Default)]
pub(super) struct InternedTexts {
    text: String,
    /// Where each ends; it begins where the one before ends.
    ends: Vec<u32>,
}

impl InternedTexts {
    /// Adds a text; returns its number.
    fn push(&mut self, text: &str) -> Result<u32, TooManyRows> {
        let end = u32::try_from(self.text.len() + text.len()).map_err(|_| TooManyRows)?;
        let number = u32::try_from(self.ends.len()).map_err(|_| TooManyRows)?;
        self.text.push_str(text);
        self.ends.push(end);
        Ok(number)
    }

    /// The text of a number that [`Self::push`] gave.
    pub(super) fn get(&self, number: u32) -> &str {
        &self.text[self.start(number) as usize..self.ends[number as usize] as usize]
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All numbers, in the order of their texts.
    pub(super) fn order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).take(self.len()).collect();
        order.sort_unstable_by_key(|number| self.get(*number));
        order
    }

    /// The same texts in another order.
    pub(super) fn in_order(&self, order: &[u32]) -> Self {
        let mut text = String::with_capacity(self.text.len());
        let mut end = 0;
        let ends = order.iter().map(|number| {
            text.push_str(self.get(*number));
            end += self.ends[*number as usize] - self.start(*number);
            end
        });
        let ends = ends.collect();
        Self { text, ends }
    }

    fn start(&self, number: u32) -> u32 {
        (number as usize).checked_sub(1).map_or(0, |before| self.ends[before])
    }
}

/// Texts that are found by what they say.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: InternedTexts,
    known: HashTable<u32>,
    hasher: RandomState,
}

impl Interner {
    /// The number of `text`: the one that it has, or else the next one.
    pub(super) fn number(&mut self, text: &str) -> Result<u32, TooManyRows> {
        let Self { texts, known, hasher } = self;
        let hash = hasher.hash_one(text);
        if let Some(number) = known.find(hash, |number| texts.get(*number) == text) {
            return Ok(*number);
        }
        let number = texts.push(text)?;
        known.insert_unique(hash, number, |number| hasher.hash_one(texts.get(*number)));
        Ok(number)
    }

    /// The texts, which need not be found any more.
    pub(super) fn into_texts(self) -> InternedTexts {
        self.texts
    }
}

#[cfg(test)]
mod tests {
    use super::Interner;

    #[test]
    fn each_text_has_one_number_and_is_found_by_it() {
        let mut numbers = Interner::default();
        for (text, number) in [("b", 0), ("", 1), ("a", 2), ("b", 0), ("", 1), ("ab", 3)] {
            assert_eq!(numbers.number(text).unwrap(), number);
        }
        let texts = numbers.into_texts();
        assert_eq!(
            (0..4).map(|number| texts.get(number)).collect::<Vec<_>>(),
            ["b", "", "a", "ab"]
        );
        assert_eq!(texts.order(), [1, 2, 3, 0]);
        let texts = texts.in_order(&texts.order());
        assert_eq!(
            (0..4).map(|number| texts.get(number)).collect::<Vec<_>>(),
            ["", "a", "ab", "b"]
        );
    }

    #[test]
    fn numbers_stay_however_many_there_are() {
        let mut numbers = Interner::default();
        let text = |number: u32| format!("{:05}", number * 7 % 10_007);
        for _ in 0..2 {
            for number in 0..10_007 {
                assert_eq!(numbers.number(&text(number)).unwrap(), number);
            }
        }
        let texts = numbers.into_texts();
        assert_eq!(texts.len(), 10_007);
        assert!((0..10_007).all(|number| texts.get(number) == text(number)));
        assert!(texts.order().into_iter().is_sorted_by_key(|number| texts.get(number)));
    }
}
