//! Database numbers among a command's words.

use tessera_command::Error;
use tessera_resp::number::parse_i64;

/// No database has this number.
pub const OUT_OF_RANGE: Error = Error::Text("ERR DB index is out of range");

/// The number that `word` is; whether there is such a database is another question.
///
/// # Errors
/// If it is no integer, or none of 32 bits.
pub fn number(word: &[u8]) -> Result<i32, Error> {
    let number = parse_i64(word).ok_or(Error::NOT_AN_INTEGER)?;
    i32::try_from(number)
        .map_err(|_| Error::Text("ERR value is out of range, value must between -2147483648 and 2147483647"))
}

/// The same if there is such a database.
///
/// # Errors
/// If there is not.
pub fn existing(number: i32, databases_len: usize) -> Result<u16, Error> {
    u16::try_from(number).ok().filter(|number| usize::from(*number) < databases_len).ok_or(OUT_OF_RANGE)
}
