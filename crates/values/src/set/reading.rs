//! Looking at sets, wherever they are kept.

use super::intset::Integers;
use super::members::{Member, Members};
use super::{Form, IntSet, Set};
use crate::collection::CollectionRef;
use crate::listpack::{self, Element, Pack, Position};
use crate::table::{Cursor, Way};

/// A set to look at, and how it is kept.
#[derive(Clone, Copy)]
pub enum SetRef<'a> {
    /// Integers in order.
    Integers(&'a Integers),
    /// Members one after the other.
    Listpack(&'a Pack),
    /// A hash table.
    Table(TableMembers<'a>),
}

/// The members of a large set.
#[derive(Clone, Copy)]
pub struct TableMembers<'a>(pub(super) &'a Members);

impl<'a> TableMembers<'a> {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a key does not hold an empty set")]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// The way to a member.
    #[inline]
    pub(crate) fn trail(self, member: &[u8]) -> SetTrail<'a> {
        SetTrail(self.0.way(Element::new(member)))
    }

    /// The first member at a place or behind it, and the place to go on from. A walk begins at the default place.
    pub fn walk(self, cursor: Cursor) -> Option<(Element<'a>, Cursor)> {
        let (member, next): (&Member, Cursor) = self.0.walk(cursor)?;
        Some((member.as_element(), next))
    }
}

/// The way to one of them.
pub(crate) struct SetTrail<'a>(Way<'a, Member>);

impl SetTrail<'_> {
    /// See [`crate::Trail::advance`].
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<*const u8> {
        self.0.advance(Member::address)
    }
}

impl std::fmt::Debug for TableMembers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} members", self.len())
    }
}

impl<'a> SetRef<'a> {
    /// Whether it is kept as integers in order.
    pub fn is_intset(self) -> bool {
        matches!(self, SetRef::Integers(_))
    }

    /// A set of its own.
    pub fn to_set(self) -> Set {
        let form = match self {
            SetRef::Integers(integers) => Form::Integers(IntSet::of_trusted(integers.as_bytes().to_vec())),
            SetRef::Listpack(pack) => Form::Flat(pack.to_listpack()),
            SetRef::Table(TableMembers(members)) => Form::Table(Box::new(members.clone())),
        };
        Set { form }
    }

    /// Whether both are the same one, and not only equal.
    pub fn is_same(self, other: SetRef<'_>) -> bool {
        match (self, other) {
            (SetRef::Integers(one), SetRef::Integers(other)) => std::ptr::eq(one, other),
            (SetRef::Listpack(one), SetRef::Listpack(other)) => std::ptr::eq(one, other),
            (SetRef::Table(one), SetRef::Table(other)) => std::ptr::eq(one.0, other.0),
            _ => false,
        }
    }

    /// Whether it is there.
    pub fn contains(self, member: Element<'_>) -> bool {
        match self {
            SetRef::Integers(integers) => {
                member.as_integer().is_some_and(|integer| integers.contains(integer))
            }
            SetRef::Listpack(pack) => find(pack, member).is_some(),
            SetRef::Table(TableMembers(members)) => members.contains(member),
        }
    }

    /// All members, in an order of the set's own.
    pub fn iter(self) -> Iter<'a> {
        Iter {
            form: match self {
                SetRef::Integers(integers) => IterForm::Integers(integers, 0),
                SetRef::Listpack(pack) => IterForm::Flat(pack.iter()),
                SetRef::Table(TableMembers(members)) => IterForm::Table(Box::new(members.iter())),
            },
        }
    }

    /// Visits about `count` members from a position on; 0 is the start. The position to go on from, or `None` at the
    /// end. A small set is visited whole.
    pub fn scan(self, position: u64, count: usize, mut visit: impl FnMut(Element<'a>)) -> Option<u64> {
        match self {
            SetRef::Table(TableMembers(members)) => members.scan(position, count, visit),
            SetRef::Integers(_) | SetRef::Listpack(_) => {
                self.iter().for_each(&mut visit);
                None
            }
        }
    }
}

pub(super) fn find(pack: &Pack, member: Element<'_>) -> Option<Position> {
    let mut elements = pack.iter();
    loop {
        let position = elements.position()?;
        if elements.next()? == member {
            return Some(position);
        }
    }
}

/// See [`SetRef::iter`].
pub struct Iter<'a> {
    form: IterForm<'a>,
}

enum IterForm<'a> {
    /// With the index of the next.
    Integers(&'a Integers, usize),
    Flat(listpack::Iter<'a>),
    Table(Box<dyn Iterator<Item = &'a Member> + 'a>),
}

impl<'a> Iterator for Iter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        match &mut self.form {
            IterForm::Integers(integers, index) => {
                let integer = integers.get(*index)?;
                *index += 1;
                Some(Element::Integer(integer))
            }
            IterForm::Flat(elements) => elements.next(),
            IterForm::Table(members) => members.next().map(Member::as_element),
        }
    }
}

impl CollectionRef for SetRef<'_> {
    #[inline]
    fn len(self) -> usize {
        match self {
            SetRef::Integers(integers) => integers.len(),
            SetRef::Listpack(pack) => pack.len(),
            SetRef::Table(members) => members.len(),
        }
    }

    #[inline]
    fn is_empty(self) -> bool {
        match self {
            SetRef::Integers(integers) => integers.is_empty(),
            SetRef::Listpack(pack) => pack.is_empty(),
            SetRef::Table(members) => members.len() == 0,
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            SetRef::Integers(_) => "intset",
            SetRef::Listpack(_) => "listpack",
            SetRef::Table(_) => "hashtable",
        }
    }

    fn content_bytes(self) -> usize {
        match self {
            SetRef::Integers(integers) => integers.as_bytes().len(),
            SetRef::Listpack(pack) => pack.len_bytes(),
            SetRef::Table(TableMembers(members)) => members.allocated_bytes(),
        }
    }
}

/// Equal sets have equal members, however kept.
impl PartialEq for SetRef<'_> {
    fn eq(&self, other: &SetRef<'_>) -> bool {
        self.len() == other.len() && self.iter().all(|member| other.contains(member))
    }
}

impl Eq for SetRef<'_> {}

impl std::fmt::Debug for SetRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
