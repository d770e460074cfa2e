//! ZMPOP and BZMPOP: elements of the first of several sorted sets.

use super::popping::{self, End};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::SortedSet;

/// What the words behind `numkeys` ask for.
pub(super) struct Several<'a> {
    /// The keys, and more words behind them.
    words: Args<'a>,
    keys_len: usize,
    take: Take,
}

/// What to take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Take {
    end: End,
    /// At most so many elements.
    count: u64,
}

impl<'a> Several<'a> {
    /// Reads `numkeys` and what follows.
    pub fn parse(words: &mut Words<'a>) -> Result<Several<'a>, Error> {
        let keys_len = positive(words.word()?, "ERR numkeys should be greater than 0")?;
        let keys_len =
            usize::try_from(keys_len).ok().filter(|len| *len < words.left()).ok_or(Error::SYNTAX)?;
        let mut options = Words::new(words.rest(), 0);
        let words = options.all();
        for _ in 0..keys_len {
            options.word()?;
        }
        let end = if options.take("MIN") {
            End::Min
        } else if options.take("MAX") {
            End::Max
        } else {
            return Err(Error::SYNTAX);
        };
        let mut count = None;
        while !options.is_empty() {
            if count.is_some() || !options.take("COUNT") || options.is_empty() {
                return Err(Error::SYNTAX);
            }
            count = Some(positive(options.word()?, "ERR count should be greater than 0")?);
        }
        Ok(Several { words, keys_len, take: Take { end, count: count.unwrap_or(1) } })
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.words.iter().take(self.keys_len)
    }

    /// What to take of the first sorted set.
    pub fn take(&self) -> Take {
        self.take
    }
}

fn positive(word: &[u8], otherwise: &'static str) -> Result<u64, Error> {
    let number = parse_i64(word).and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number > 0).ok_or(Error::Text(otherwise))
}

impl Take {
    /// As the bytes that an act is told: the end, then the count.
    pub fn to_bytes(self) -> Box<[u8]> {
        let end = u8::from(self.end == End::Max);
        [&[end], self.count.to_le_bytes().as_slice()].concat().into()
    }

    /// What such bytes say.
    pub fn from_bytes(bytes: &[u8]) -> Take {
        let mut count = [0; 8];
        let (end, given) = bytes.split_at(1);
        count.copy_from_slice(given);
        let end = if end == [0] { End::Min } else { End::Max };
        Take { end, count: u64::from_le_bytes(count) }
    }

    /// Takes it from the sorted set at `key` and answers. `None` if there is no such key.
    pub fn take_from(
        self,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        let taken = db.change(key, |set: &mut SortedSet| {
            let count = usize::try_from(self.count).unwrap_or(usize::MAX).min(set.len());
            reply.array(2);
            reply.bulk(key);
            reply.array(count);
            popping::take(set, self.end, count, true, reply);
            count
        })?;
        let Some(taken) = taken else { return Ok(None) };
        db.record(&[self.end.command(), key, Digits::new().format(taken).as_bytes()]);
        Ok(Some(Effect::Rewritten))
    }
}
