//! How a set is kept, for whoever writes it down.

use super::members::{Member, Members};
use super::{Form, IntSet, Set};
use crate::listpack::{Element, Listpack};
use crate::table::Cursor;

/// See [`Set::form`].
#[derive(Clone, Copy, Debug)]
pub enum SetForm<'a> {
    /// Integers in order.
    Integers(&'a IntSet),
    /// Members one after the other.
    Listpack(&'a Listpack),
    /// A hash table.
    Table(TableMembers<'a>),
}

/// The members of a large set.
#[derive(Clone, Copy)]
pub struct TableMembers<'a>(&'a Members);

impl<'a> TableMembers<'a> {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a key does not hold an empty set")]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// The first member at a place or behind it, and the place to go on from. A walk begins at the default place.
    pub fn walk(self, cursor: Cursor) -> Option<(Element<'a>, Cursor)> {
        let (member, next): (&Member, Cursor) = self.0.walk(cursor)?;
        Some((member.as_element(), next))
    }
}

impl std::fmt::Debug for TableMembers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} members", self.len())
    }
}

impl Set {
    /// How it is kept.
    pub fn form(&self) -> SetForm<'_> {
        match &self.form {
            Form::Integers(integers) => SetForm::Integers(integers),
            Form::Flat(listpack) => SetForm::Listpack(listpack),
            Form::Table(members) => SetForm::Table(TableMembers(members)),
        }
    }
}
