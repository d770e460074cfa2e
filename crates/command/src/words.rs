//! A command's words, taken one by one.

use crate::error::Error;
use tessera_resp::Args;
use tessera_resp::number::parse_i64;

/// The words of a command behind its name (and its subcommand's), taken from the front.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    args: Args<'a>,
    at: usize,
}

impl<'a> Words<'a> {
    /// The words of `args` from number `first` on.
    #[inline]
    pub fn new(args: Args<'a>, first: usize) -> Words<'a> {
        Words { args, at: first }
    }

    /// All words of the command, its name included, taken or not.
    pub fn all(&self) -> Args<'a> {
        self.args
    }

    /// How many are left.
    #[inline]
    pub fn left(&self) -> usize {
        self.args.len().saturating_sub(self.at)
    }

    /// None is left.
    pub fn is_empty(&self) -> bool {
        self.left() == 0
    }

    /// The next word, if there is one.
    #[inline]
    pub fn next_word(&mut self) -> Option<&'a [u8]> {
        let word = self.args.get(self.at)?;
        self.at += 1;
        Some(word)
    }

    /// The next word without taking it.
    pub fn peek(&self) -> Option<&'a [u8]> {
        self.args.get(self.at)
    }

    /// The next word, which must be there.
    ///
    /// # Errors
    /// A syntax error if it is not.
    #[inline]
    pub fn word(&mut self) -> Result<&'a [u8], Error> {
        self.next_word().ok_or(Error::SYNTAX)
    }

    /// The next word as a signed 64-bit integer.
    ///
    /// # Errors
    /// If it is none; a syntax error if there is no word.
    #[inline]
    pub fn integer(&mut self) -> Result<i64, Error> {
        parse_i64(self.word()?).ok_or(Error::NOT_AN_INTEGER)
    }

    /// Takes the next word if it is `token`, in any case.
    #[inline]
    pub fn take(&mut self, token: &str) -> bool {
        let found = self.peek().is_some_and(|word| word.eq_ignore_ascii_case(token.as_bytes()));
        self.at += usize::from(found);
        found
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// A syntax error if there is.
    #[inline]
    pub fn end(&self) -> Result<(), Error> {
        if self.is_empty() { Ok(()) } else { Err(Error::SYNTAX) }
    }

    /// All that is left, and nothing is left then.
    pub fn rest(&mut self) -> Args<'a> {
        let rest = self.args.from(self.at);
        self.at = self.args.len();
        rest
    }
}
