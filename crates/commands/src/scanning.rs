//! The words of HSCAN, SSCAN and ZSCAN.

use tessera_command::cursor;
use tessera_command::prelude::*;
use tessera_values::glob;

/// Elements visited in a call without COUNT.
const COUNT_DEFAULT: usize = 10;

/// What SCAN, SSCAN and ZSCAN answer to the option of HSCAN.
pub const NOVALUES_ELSEWHERE: Error = Error::Text("ERR NOVALUES option can only be used in HSCAN");

/// A cursor, and what is to be shown.
pub struct ScanRequest<'a> {
    /// Where to go on; 0 is the start.
    pub position: u64,
    /// What is wrong with the words behind the cursor. Redis looks at the key before it looks at them.
    options: Result<Options<'a>, Error>,
}

/// The words behind the cursor.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How many elements to visit.
    pub count: usize,
    /// Not the pattern `*`, which takes all.
    pattern: Option<&'a [u8]>,
    /// Names only.
    pub no_values: bool,
}

impl Options<'_> {
    /// Whether an element is to be shown.
    pub fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

impl<'a> ScanRequest<'a> {
    /// Reads the words behind the key.
    pub fn parse(words: &mut Words<'a>) -> Result<ScanRequest<'a>, Error> {
        let position = cursor::parse(words.word()?).ok_or(cursor::INVALID)?;
        Ok(ScanRequest { position, options: options(words) })
    }

    /// The words behind the cursor, asked for once the key is known to be there and of the right type.
    ///
    /// # Errors
    /// If they are not understood, or ask for names only, which is for hashes.
    pub fn options(&self) -> Result<Options<'a>, Error> {
        match self.options.clone() {
            Ok(Options { no_values: true, .. }) => Err(NOVALUES_ELSEWHERE),
            options => options,
        }
    }

    /// The same for hashes.
    pub fn options_of_hash(&self) -> Result<Options<'a>, Error> {
        self.options.clone()
    }
}

fn options<'a>(words: &mut Words<'a>) -> Result<Options<'a>, Error> {
    let mut options = Options { count: COUNT_DEFAULT, pattern: None, no_values: false };
    while !words.is_empty() {
        if words.left() >= 2 && words.take("COUNT") {
            let count = words.integer()?;
            options.count = usize::try_from(count).ok().filter(|count| *count > 0).ok_or(Error::SYNTAX)?;
        } else if words.left() >= 2 && words.take("MATCH") {
            options.pattern = Some(words.word()?).filter(|pattern| pattern != b"*");
        } else if words.take("NOVALUES") {
            options.no_values = true;
        } else {
            return Err(Error::SYNTAX);
        }
    }
    Ok(options)
}

/// Writes what a key that is not there answers.
pub(crate) fn reply_nothing(reply: &mut Reply<'_>) {
    reply.array(2);
    reply.bulk(b"0");
    reply.array(0);
}
