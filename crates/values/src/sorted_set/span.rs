//! Parts of a sorted set: from a least score to a largest, or from one member to another.

use crate::listpack::Element;
use crate::string::Digits;

/// An end of a range of scores.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreBound {
    /// The score.
    pub score: f64,
    /// It does not belong to the range itself.
    pub is_exclusive: bool,
}

/// An end of a range of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LexBound<'a> {
    /// Before all members.
    Lowest,
    /// Behind all members.
    Highest,
    /// This one, itself included.
    Including(&'a [u8]),
    /// This one, itself not included.
    Excluding(&'a [u8]),
}

/// A range of scores, or of members where all have the same score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Span<'a> {
    /// From a score to another.
    Score {
        /// The least.
        min: ScoreBound,
        /// The largest.
        max: ScoreBound,
    },
    /// From a member to another.
    Lex {
        /// The first.
        min: LexBound<'a>,
        /// The last.
        max: LexBound<'a>,
    },
}

impl Span<'_> {
    /// Nothing can be in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Span::Score { min, max } => {
                min.score > max.score || min.score == max.score && (min.is_exclusive || max.is_exclusive)
            }
            Span::Lex { min, max } => match (min, max) {
                // An end that is itself in no range makes one with itself empty.
                (LexBound::Lowest, LexBound::Lowest) | (LexBound::Highest, LexBound::Highest) => true,
                (LexBound::Lowest, _) | (_, LexBound::Highest) => false,
                (LexBound::Highest, _) | (_, LexBound::Lowest) => true,
                (LexBound::Including(min), LexBound::Including(max)) => min > max,
                (
                    LexBound::Including(min) | LexBound::Excluding(min),
                    LexBound::Including(max) | LexBound::Excluding(max),
                ) => min >= max,
            },
        }
    }

    /// Whether an element is not before the range.
    #[inline]
    pub fn reaches(&self, member: Element<'_>, score: f64) -> bool {
        match self {
            Span::Score { min, .. } => {
                if min.is_exclusive {
                    score > min.score
                } else {
                    score >= min.score
                }
            }
            Span::Lex { min, .. } => match min {
                LexBound::Lowest => true,
                LexBound::Highest => false,
                LexBound::Including(min) => member.as_bytes(&mut Digits::new()) >= *min,
                LexBound::Excluding(min) => member.as_bytes(&mut Digits::new()) > *min,
            },
        }
    }

    /// Whether an element is not behind the range.
    #[inline]
    pub fn is_within(&self, member: Element<'_>, score: f64) -> bool {
        match self {
            Span::Score { max, .. } => {
                if max.is_exclusive {
                    score < max.score
                } else {
                    score <= max.score
                }
            }
            Span::Lex { max, .. } => match max {
                LexBound::Lowest => false,
                LexBound::Highest => true,
                LexBound::Including(max) => member.as_bytes(&mut Digits::new()) <= *max,
                LexBound::Excluding(max) => member.as_bytes(&mut Digits::new()) < *max,
            },
        }
    }
}
