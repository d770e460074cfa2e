//! How a hash is kept, for whoever writes it down.

use super::table::PairTable;
use super::{Form, Hash};
use crate::listpack::Listpack;
use crate::table::Cursor;

/// See [`Hash::form`].
#[derive(Clone, Copy, Debug)]
pub enum HashForm<'a> {
    /// Fields and values in turn.
    Listpack(&'a Listpack),
    /// Fields, values and Unix times in milliseconds in turn, 0 where a field does not expire. Those that expire come first,
    /// in the order of time.
    TimedListpack(&'a Listpack),
    /// A hash table.
    Table(Fields<'a>),
}

/// The fields of a large hash.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a PairTable);

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: &'a [u8],
    /// When it expires, in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
}

impl<'a> Fields<'a> {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a key does not hold an empty hash")]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// The first field at a place or behind it, and the place to go on from. A walk begins at the default place.
    pub fn walk(self, cursor: Cursor) -> Option<(Field<'a>, Cursor)> {
        let (pair, next) = self.0.walk(cursor)?;
        let field = Field { name: pair.field(), value: pair.value(), expire_at_ms: pair.expire_at_ms() };
        Some((field, next))
    }
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} fields", self.len())
    }
}

impl Hash {
    /// How it is kept.
    pub fn form(&self) -> HashForm<'_> {
        match &self.form {
            Form::Plain(listpack) => HashForm::Listpack(listpack),
            Form::Volatile(listpack) => HashForm::TimedListpack(listpack),
            Form::Table(table) => HashForm::Table(Fields(table)),
        }
    }
}
