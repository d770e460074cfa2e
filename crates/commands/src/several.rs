//! LMPOP, BLMPOP, ZMPOP and BZMPOP: elements from an end of the first of several collections.

use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

/// One of the two ends of a collection.
pub(crate) trait End: Copy + PartialEq + 'static {
    /// Both of them, with the words that name them.
    const BOTH: [(&'static str, Self); 2];

    /// The command that takes elements from there.
    fn pop_word(self) -> &'static [u8];

    /// Takes up to `count` elements from the collection at `key` and answers the key and them. Returns how many they
    /// were; `None` if there is no such key.
    ///
    /// # Errors
    /// If something else is there.
    fn take(
        self,
        key: &[u8],
        count: usize,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<usize>, Error>;
}

/// What the words from `numkeys` on ask for.
pub(crate) struct Several<'a, E> {
    /// The keys, and more words behind them.
    words: Args<'a>,
    keys_len: usize,
    take: Take<E>,
}

/// What to take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Take<E> {
    end: E,
    /// At most so many elements.
    count: u64,
}

impl<'a, E: End> Several<'a, E> {
    /// Reads `numkeys` and what follows.
    pub fn parse(words: &mut Words<'a>) -> Result<Several<'a, E>, Error> {
        let keys_len = positive(words.word()?, "ERR numkeys should be greater than 0")?;
        let keys_len =
            usize::try_from(keys_len).ok().filter(|len| *len < words.left()).ok_or(Error::SYNTAX)?;
        let words = words.rest();
        let mut options = Words::new(words, keys_len);
        let named = E::BOTH.into_iter().find(|(name, _)| options.take(name));
        let (_, end) = named.ok_or(Error::SYNTAX)?;
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
    pub fn keys(&self) -> impl Iterator<Item = &'a [u8]> + use<'a, E> {
        self.words.iter().take(self.keys_len)
    }

    /// What to take of the first collection.
    pub fn take(&self) -> Take<E> {
        self.take
    }
}

fn positive(word: &[u8], otherwise: &'static str) -> Result<u64, Error> {
    let number = parse_i64(word).and_then(|number| u64::try_from(number).ok());
    number.filter(|number| *number > 0).ok_or(Error::Text(otherwise))
}

impl<E: End> Take<E> {
    /// As the bytes that an act is told: the end, then the count.
    pub fn to_bytes(self) -> Box<[u8]> {
        let end = u8::from(self.end == E::BOTH[1].1);
        [&[end], self.count.to_le_bytes().as_slice()].concat().into()
    }

    /// What such bytes say.
    pub fn from_bytes(bytes: &[u8]) -> Take<E> {
        let mut count = [0; 8];
        let (end, given) = bytes.split_at(1);
        count.copy_from_slice(given);
        let (_, end) = E::BOTH[usize::from(end != [0])];
        Take { end, count: u64::from_le_bytes(count) }
    }

    /// Takes it from the collection at `key` and answers. `None` if there is no such key.
    pub fn take_from(
        self,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        let count = usize::try_from(self.count).unwrap_or(usize::MAX);
        let Some(taken) = self.end.take(key, count, db, reply)? else { return Ok(None) };
        db.record(&[self.end.pop_word(), key, Digits::new().format(taken).as_bytes()]);
        Ok(Some(Effect::Rewritten))
    }
}
