//! What a seed draws: the same one always draws the same.

use std::ops::RangeInclusive;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Draws by a seed.
pub(super) struct Draw {
    random: ChaCha8Rng,
    runner: TestRunner,
}

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut start = [0; 32];
        random.fill_bytes(&mut start);
        let generator = TestRng::from_seed(RngAlgorithm::ChaCha, &start);
        Self { random, runner: TestRunner::new_with_rng(Config::default(), generator) }
    }

    /// Draws for a part of what the seed stands for, whatever else is drawn.
    pub(super) fn of_part(seed: u64, part: u64) -> Self {
        Self::new(seed.wrapping_add((part + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
    }

    /// A value of a property test's.
    pub(super) fn any<S: Strategy>(&mut self, strategy: &S) -> S::Value {
        strategy.new_tree(&mut self.runner).unwrap().current()
    }

    /// True so many times of a hundred.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.random.random_ratio(percent, 100)
    }

    pub(super) fn number(&mut self, range: RangeInclusive<usize>) -> usize {
        self.random.random_range(range)
    }

    /// A number up to `most`, small ones as often as large ones.
    pub(super) fn magnitude(&mut self, most: usize) -> usize {
        let most = self.number(1..=most);
        self.number(1..=most)
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.number(0..=of.len() - 1)].clone()
    }
}
