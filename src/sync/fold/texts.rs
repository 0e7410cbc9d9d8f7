//! Texts, each kept once and called by a number.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::sync::error::TooLarge;

/// Texts in one piece of memory: a table of numbers finds them by what they say.
#[derive(Debug, Default)]
pub(super) struct Texts {
    text: String,
    /// Where each ends; it begins where the one before ends.
    ends: Vec<u32>,
    numbers: HashTable<u32>,
    hasher: RandomState,
}

impl Texts {
    /// The number of `text`: the one that it has, or else the next one.
    pub(super) fn number(&mut self, text: &str) -> Result<u32, TooLarge> {
        let Self { text: all, ends, numbers, hasher } = self;
        let hash = hasher.hash_one(text);
        if let Some(number) = numbers.find(hash, |number| get(all, ends, *number) == text) {
            return Ok(*number);
        }
        let end = u32::try_from(all.len() + text.len()).map_err(|_| TooLarge)?;
        let number = u32::try_from(ends.len()).map_err(|_| TooLarge)?;
        all.push_str(text);
        ends.push(end);
        numbers.insert_unique(hash, number, |number| hasher.hash_one(get(all, ends, *number)));
        Ok(number)
    }

    /// The text of a number that [`Self::number`] gave.
    pub(super) fn get(&self, number: u32) -> &str {
        get(&self.text, &self.ends, number)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// All numbers, in the order of their texts.
    pub(super) fn sorted(&self) -> Vec<u32> {
        let mut sorted: Vec<u32> = (0..).take(self.len()).collect();
        sorted.sort_unstable_by_key(|number| self.get(*number));
        sorted
    }
}

fn get<'text>(text: &'text str, ends: &[u32], number: u32) -> &'text str {
    let number = number as usize;
    let start = number.checked_sub(1).map_or(0, |before| ends[before]);
    &text[start as usize..ends[number] as usize]
}

#[cfg(test)]
mod tests {
    use super::Texts;

    #[test]
    fn each_text_has_one_number_and_is_found_by_it() {
        let mut texts = Texts::default();
        for (text, number) in [("b", 0), ("", 1), ("a", 2), ("b", 0), ("", 1), ("ab", 3)] {
            assert_eq!(texts.number(text).unwrap(), number);
            assert_eq!(texts.get(number), text);
        }
        assert_eq!(texts.len(), 4);
        assert_eq!(texts.sorted(), [1, 2, 3, 0]);
    }

    #[test]
    fn numbers_stay_however_many_there_are() {
        let mut texts = Texts::default();
        let text = |number: u32| format!("{:05}", number * 7 % 10_007);
        for number in 0..10_007 {
            assert_eq!(texts.number(&text(number)).unwrap(), number);
        }
        for number in 0..10_007 {
            assert_eq!(
                (texts.number(&text(number)).unwrap(), texts.get(number)),
                (number, &*text(number))
            );
        }
        assert!(texts.sorted().into_iter().map(|number| texts.get(number)).is_sorted());
    }
}
