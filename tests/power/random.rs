//! Numbers that look random and repeat: splitmix64 over a seed that is printed.

/// A sequence of numbers that the seed decides.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit; zero for a limit of zero.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let next = self.next() >> 1;
        usize::try_from(next).unwrap_or(0).checked_rem(limit).unwrap_or(0)
    }

    /// One of some choices.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// True in so many of eight cases.
    pub(crate) fn eighths(&mut self, yes: usize) -> bool {
        self.below(8) < yes
    }
}

/// A number from the environment of whoever starts the tests, or the one for every day.
#[expect(clippy::disallowed_methods, reason = "a test that can be made longer from outside")]
pub(crate) fn wanted(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}
