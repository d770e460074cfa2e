//! What commands do that take elements from an end.

use super::answer;
use crate::several;
use tessera_command::prelude::*;
use tessera_values::SortedSet;

/// Which end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where the scores are lowest.
    Min,
    /// Where they are highest.
    Max,
}

impl several::End for End {
    const BOTH: [(&'static str, End); 2] = [("MIN", End::Min), ("MAX", End::Max)];

    fn pop_word(self) -> &'static [u8] {
        match self {
            End::Min => b"ZPOPMIN",
            End::Max => b"ZPOPMAX",
        }
    }

    fn take(
        self,
        key: &[u8],
        count: usize,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<usize>, Error> {
        let taken = db.change(key, event(self), |set: &mut SortedSet| {
            let count = count.min(set.len());
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
            take(set, self, count, true, reply);
            (count, count > 0)
        })?;
        Ok(taken)
    }
}

/// What is told of a sorted set that elements were taken from.
pub(super) fn event(end: End) -> Event {
    match end {
        End::Min => Event::ZPopMin,
        End::Max => Event::ZPopMax,
    }
}

/// The words of ZPOPMIN and ZPOPMAX.
pub struct PopArgs<'a> {
    key: &'a [u8],
    count: Option<usize>,
}

/// Reads them.
pub(super) fn parse<'a>(words: &mut Words<'a>) -> Result<PopArgs<'a>, Error> {
    const NOT_POSITIVE: Error = Error::Text("ERR value is out of range, must be positive");
    let key = words.word()?;
    if words.left() > 1 {
        return Err(Error::SYNTAX);
    }
    if words.is_empty() {
        return Ok(PopArgs { key, count: None });
    }
    let count = words.integer().map_err(|_| NOT_POSITIVE)?;
    Ok(PopArgs { key, count: Some(usize::try_from(count).map_err(|_| NOT_POSITIVE)?) })
}

/// Does what they say.
pub(super) fn execute(
    args: &PopArgs<'_>,
    end: End,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    // Without a count there is one element, told without an array of its own.
    let is_nested = args.count.is_some() && reply.protocol() == Protocol::Resp3;
    let count = args.count.unwrap_or(1);
    let taken = db.change(args.key, event(end), |set: &mut SortedSet| {
        let count = count.min(set.len());
        reply.array(if is_nested { count } else { 2 * count });
        take(set, end, count, is_nested, reply);
        (count, count > 0)
    })?;
    if taken.is_none() {
        reply.array(0);
    }
    Ok(if taken.unwrap_or(0) > 0 { Effect::Verbatim } else { Effect::None })
}

/// Takes `count` elements, which must be there, and writes each with its score.
pub(super) fn take(set: &mut SortedSet, end: End, count: usize, is_nested: bool, reply: &mut Reply<'_>) {
    let ranks = match end {
        End::Min => 0..count,
        End::Max => set.len() - count..set.len(),
    };
    let mut write = |(member, score)| {
        if is_nested {
            reply.array(2);
        }
        answer::member(member, reply);
        reply.double(score);
    };
    let elements = set.as_ref().range(ranks.clone());
    match end {
        End::Min => elements.for_each(&mut write),
        End::Max => elements.rev().for_each(&mut write),
    }
    set.remove_range(ranks);
}
