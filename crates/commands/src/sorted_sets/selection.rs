//! The elements that ZRANGE and its kin select.

use super::bounds;
use std::ops::Range;
use tessera_command::prelude::*;
use tessera_values::SortedSetRef;
use tessera_values::sorted_set::Span;

/// By what elements are selected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// By rank.
    Rank,
    /// By score.
    Score,
    /// By their bytes, which is an order where all have the same score.
    Lex,
}

/// What a command of this kind leaves to its words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Syntax {
    /// `None`: the words BYSCORE and BYLEX tell.
    pub by: Option<By>,
    /// `None`: the word REV tells.
    pub is_reversed: Option<bool>,
    /// The word WITHSCORES is one.
    pub takes_scores: bool,
}

enum Part<'a> {
    Ranks(i64, i64),
    Span(Span<'a>),
}

/// What is selected.
pub struct Selection<'a> {
    part: Part<'a>,
    /// From the last to the first.
    pub is_reversed: bool,
    /// The scores are asked for.
    pub with_scores: bool,
    offset: i64,
    /// All if negative.
    limit: i64,
}

impl<'a> Selection<'a> {
    /// Reads the words behind the key.
    pub(super) fn parse(words: &mut Words<'a>, syntax: Syntax) -> Result<Selection<'a>, Error> {
        let (mut min, mut max) = (words.word()?, words.word()?);
        let Syntax { mut by, mut is_reversed, takes_scores } = syntax;
        let (mut with_scores, mut offset, mut limit) = (false, 0, -1);
        while !words.is_empty() {
            if takes_scores && words.take("WITHSCORES") {
                with_scores = true;
            } else if words.left() >= 3 && words.take("LIMIT") {
                (offset, limit) = (words.integer()?, words.integer()?);
            } else if is_reversed.is_none() && words.take("REV") {
                is_reversed = Some(true);
            } else if by.is_none() && words.take("BYLEX") {
                by = Some(By::Lex);
            } else if by.is_none() && words.take("BYSCORE") {
                by = Some(By::Score);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        let (by, is_reversed) = (by.unwrap_or(By::Rank), is_reversed.unwrap_or(false));
        if limit != -1 && by == By::Rank {
            return Err(Error::Text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX",
            ));
        }
        if with_scores && by == By::Lex {
            return Err(Error::Text("ERR syntax error, WITHSCORES not supported in combination with BYLEX"));
        }
        if is_reversed && by != By::Rank {
            (min, max) = (max, min);
        }
        let index = |word| tessera_resp::number::parse_i64(word).ok_or(Error::NOT_AN_INTEGER);
        let part = match by {
            By::Rank => Part::Ranks(index(min)?, index(max)?),
            By::Score => Part::Span(bounds::scores(min, max)?),
            By::Lex => Part::Span(bounds::members(min, max)?),
        };
        Ok(Selection { part, is_reversed, with_scores, offset, limit })
    }

    /// Redis knows how many elements it will be before it looks at them.
    pub fn knows_its_len(&self) -> bool {
        matches!(self.part, Part::Ranks(..))
    }

    /// The ranks that are selected: in the order of ranks, whether reversed or not.
    pub fn ranks(&self, set: SortedSetRef<'_>) -> Range<usize> {
        let (span, len) = match &self.part {
            Part::Ranks(start, stop) => {
                let ranks = bounds::ranks(*start, *stop, set.len());
                return if self.is_reversed { set.len() - ranks.end..set.len() - ranks.start } else { ranks };
            }
            Part::Span(span) => (span, set.len()),
        };
        let Ok(offset) = usize::try_from(self.offset) else { return 0..0 };
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let end = if self.is_reversed { set.last_of(span).map(|last| last + 1) } else { None };
        let first = if self.is_reversed { None } else { set.first_of(span) };
        match (first, end) {
            (Some(first), _) if offset < len - first => {
                let ranks = set.ranks_from(first + offset, span);
                ranks.start..ranks.end.min(ranks.start.saturating_add(limit))
            }
            (_, Some(end)) if offset < end => {
                let ranks = set.ranks_up_to(end - offset, span);
                ranks.start.max(ranks.end.saturating_sub(limit))..ranks.end
            }
            _ => 0..0,
        }
    }
}
