//! LMPOP and BLMPOP: elements of the first of several lists.

use super::{form_setting, pop, pop_word};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::List;
use tessera_values::list::End;

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
        let mut options = *words;
        let mut left = keys_len;
        while left > 0 {
            options.word()?;
            left -= 1;
        }
        let end = super::end(&mut options)?;
        let mut count = None;
        while !options.is_empty() {
            if count.is_some() || !options.take("COUNT") || options.is_empty() {
                return Err(Error::SYNTAX);
            }
            count = Some(positive(options.word()?, "ERR count should be greater than 0")?);
        }
        let take = Take { end, count: count.unwrap_or(1) };
        Ok(Several { words: words.rest(), keys_len: keys_len as usize, take })
    }

    /// The keys.
    pub fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.words.iter().take(self.keys_len)
    }

    /// What to take of the first list.
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
        let end = u8::from(self.end == End::Back);
        [&[end], self.count.to_le_bytes().as_slice()].concat().into()
    }

    /// What such bytes say.
    pub fn from_bytes(bytes: &[u8]) -> Take {
        let mut count = [0; 8];
        let (end, given) = bytes.split_at(1);
        count.copy_from_slice(given);
        let end = if end == [0] { End::Front } else { End::Back };
        Take { end, count: u64::from_le_bytes(count) }
    }

    /// Takes it from the list at `key` and answers. `None` if there is no such key.
    pub fn take_from(
        self,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        let setting = form_setting(db.settings());
        let taken = db.change(key, |list: &mut List| {
            let count = usize::try_from(self.count).unwrap_or(usize::MAX).min(list.len());
            reply.array(2);
            reply.bulk(key);
            pop::take_and_answer(list, self.end, count, setting, reply);
            count
        })?;
        let Some(taken) = taken else { return Ok(None) };
        db.record(&[pop_word(self.end), key, Digits::new().format(taken).as_bytes()]);
        Ok(Some(Effect::Rewritten))
    }
}
