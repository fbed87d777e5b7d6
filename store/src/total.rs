//! How many rows a list has.

/// A count that stops: counting on is not worth the time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// The rows counted, at most [`Total::CAP`].
    pub number: i64,
    /// There are, or may be, more.
    pub is_capped: bool,
}

impl Total {
    /// Where counting stops.
    pub const CAP: i64 = 10_000;

    /// From a count that went at most one beyond the cap.
    pub(crate) fn of(counted: i64) -> Self {
        Self { number: counted.min(Self::CAP), is_capped: counted > Self::CAP }
    }

    /// Of two lists, one behind the other.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self::of(self.number + other.number).or_more(self.is_capped || other.is_capped)
    }

    /// Notes that not all was looked at.
    pub(crate) fn or_more(self, more: bool) -> Self {
        Self { is_capped: self.is_capped || more, ..self }
    }
}
