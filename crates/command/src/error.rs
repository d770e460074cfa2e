//! What a command answers when it cannot do what it was asked.

use std::borrow::Cow;
use tessera_keyspace::{Effect, WrongType};

/// An error reply. The common ones are constants; nothing is allocated for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The whole text, code included.
    Text(&'static str),
    /// The whole text, code included, put together for the occasion.
    Built(Box<[u8]>),
    /// Too few words or too many; the text names the command.
    Arity,
    /// A time to live that is out of range; the text names the command.
    ExpireTime,
    /// The whole text, code included, of a command that fails although it has changed something, as
    /// [`Effect::Rewritten`].
    AfterChange(&'static str),
    /// No error: the reply is long, and is to be made by [`crate::Streamed::stream`]. Only where
    /// [`tessera_resp::Reply::may_stream`] says so.
    LongReply,
}

impl Error {
    /// The key holds another type.
    pub const WRONG_TYPE: Error =
        Error::Text("WRONGTYPE Operation against a key holding the wrong kind of value");
    /// The words do not fit the command's grammar.
    pub const SYNTAX: Error = Error::Text("ERR syntax error");
    /// A word, or a value, that should be an integer.
    pub const NOT_AN_INTEGER: Error = Error::Text("ERR value is not an integer or out of range");
    /// A word, or a value, that should be a number.
    pub const NOT_A_FLOAT: Error = Error::Text("ERR value is not a valid float");
    /// No key where one must be.
    pub const NO_SUCH_KEY: Error = Error::Text("ERR no such key");
    /// An index beyond the end.
    pub const OUT_OF_RANGE: Error = Error::Text("ERR index out of range");

    /// An error put together for the occasion; `text` includes the code.
    pub fn built(text: impl Into<Vec<u8>>) -> Error {
        Error::Built(text.into().into_boxed_slice())
    }

    /// What a command did that fails so.
    pub fn effect(&self) -> Effect {
        match self {
            Error::AfterChange(_) => Effect::Rewritten,
            _ => Effect::None,
        }
    }

    /// The text as it goes to the client, without the leading `-`. `name` is the command's full name.
    pub fn text<'a>(&'a self, name: &str) -> Cow<'a, [u8]> {
        match self {
            Error::Text(text) | Error::AfterChange(text) => Cow::Borrowed(text.as_bytes()),
            Error::Built(text) => Cow::Borrowed(text),
            Error::Arity => {
                Cow::Owned(format!("ERR wrong number of arguments for '{name}' command").into_bytes())
            }
            Error::LongReply => Cow::Borrowed(b"ERR the reply is too long"),
            Error::ExpireTime => {
                Cow::Owned(format!("ERR invalid expire time in '{name}' command").into_bytes())
            }
        }
    }
}

impl From<WrongType> for Error {
    fn from(_: WrongType) -> Error {
        Error::WRONG_TYPE
    }
}
