//! The words that bound a range: `1.5`, `(1.5`, `-inf`; `[member`, `(member`, `-`, `+`.

use tessera_command::prelude::*;
use tessera_values::double;
use tessera_values::sorted_set::{LexBound, ScoreBound, Span};

fn score_bound(word: &[u8]) -> Option<ScoreBound> {
    let (number, is_exclusive) = match word {
        [b'(', number @ ..] => (number, true),
        number => (number, false),
    };
    Some(ScoreBound { score: double::parse_bound(number)?, is_exclusive })
}

fn lex_bound(word: &[u8]) -> Option<LexBound<'_>> {
    match word {
        // Redis looks for the end of the text, which a zero byte is, too.
        [b'+'] | [b'+', 0, ..] => Some(LexBound::Highest),
        [b'-'] | [b'-', 0, ..] => Some(LexBound::Lowest),
        [b'(', member @ ..] => Some(LexBound::Excluding(member)),
        [b'[', member @ ..] => Some(LexBound::Including(member)),
        _ => None,
    }
}

/// The scores from `min` to `max`.
pub(super) fn scores<'a>(min: &[u8], max: &[u8]) -> Result<Span<'a>, Error> {
    match (score_bound(min), score_bound(max)) {
        (Some(min), Some(max)) => Ok(Span::Score { min, max }),
        _ => Err(Error::Text("ERR min or max is not a float")),
    }
}

/// The members from `min` to `max`.
pub(super) fn members<'a>(min: &'a [u8], max: &'a [u8]) -> Result<Span<'a>, Error> {
    match (lex_bound(min), lex_bound(max)) {
        (Some(min), Some(max)) => Ok(Span::Lex { min, max }),
        _ => Err(Error::Text("ERR min or max not valid string range item")),
    }
}

/// The ranks from `start` to `stop`, which is among them, of `len` elements. Negative ones count from the end.
pub(super) fn ranks(start: i64, stop: i64, len: usize) -> std::ops::Range<usize> {
    let len = len as i64;
    let from_start = |index: i64| if index < 0 { len + index } else { index };
    let (start, stop) = (from_start(start).max(0), from_start(stop));
    if start > stop || start >= len {
        return 0..0;
    }
    start as usize..stop.min(len - 1) as usize + 1
}
