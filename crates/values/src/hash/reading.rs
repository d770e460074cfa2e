//! Looking at hashes, wherever they are kept.

use super::flat::{self, PLAIN, Row, VOLATILE};
use super::pair::Pair;
use super::table::PairTable;
use super::{Form, Hash};
use crate::collection::CollectionRef;
use crate::listpack::{Element, Pack};
use crate::table::{Cursor, Way};

/// If not even one in so many fields is still there, random ones are found by walking.
const SPARSE_DIVISOR: usize = 16;
/// Draws that all meet expired fields after which a random field is found by walking. It does not come to that.
const DRAWS_MAX: usize = 1000;

/// A hash to look at, and how it is kept. Whoever reads it says what time it is, and does not see what has expired by
/// then.
#[derive(Clone, Copy)]
pub enum HashRef<'a> {
    /// Fields and values in turn.
    Listpack(&'a Pack),
    /// Fields, values and Unix times in milliseconds in turn, 0 where a field does not expire. Those that expire come
    /// first, in the order of time.
    TimedListpack(&'a Pack),
    /// A hash table.
    Table(Fields<'a>),
}

/// The fields of a large hash.
#[derive(Clone, Copy)]
pub struct Fields<'a>(pub(super) &'a PairTable);

/// The way to one of them.
pub(crate) struct HashTrail<'a>(Way<'a, Pair>);

impl HashTrail<'_> {
    /// See [`crate::Trail::advance`].
    #[inline]
    pub(crate) fn advance(&mut self) -> Option<*const u8> {
        self.0.advance(|pair| Some(pair.address()))
    }
}

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

/// What is there of a field.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Its value. [`Element::Bytes`] may be digits, too.
    pub value: Element<'a>,
    /// When it expires, in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
}

impl<'a> Fields<'a> {
    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a key does not hold an empty hash")]
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// The way to a field.
    #[inline]
    pub(crate) fn trail(self, field: &[u8]) -> HashTrail<'a> {
        HashTrail(self.0.way(field))
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

impl<'a> HashRef<'a> {
    /// A field, if it is there and its time not over.
    #[inline]
    pub fn find(self, field: &[u8], now_ms: i64) -> Option<Found<'a>> {
        let (value, expire_at_ms) = match self {
            HashRef::Listpack(listpack) => (listpack.get(flat::find(listpack, field, PLAIN)?), None),
            HashRef::TimedListpack(listpack) => {
                let place = flat::find(listpack, field, VOLATILE)?;
                (listpack.get(place), flat::expire_at_ms(listpack, place))
            }
            HashRef::Table(Fields(table)) => {
                let pair = table.find(field)?;
                (Element::Bytes(pair.value()), pair.expire_at_ms())
            }
        };
        let is_expired = expire_at_ms.is_some_and(|at_ms| now_ms > at_ms);
        (!is_expired).then_some(Found { value, expire_at_ms })
    }

    /// The value of a field, if it is there and its time not over.
    #[inline]
    pub fn get(self, field: &[u8], now_ms: i64) -> Option<Element<'a>> {
        Some(self.find(field, now_ms)?.value)
    }

    /// How many fields there are whose time is not over.
    #[inline]
    pub fn live_len(self, now_ms: i64) -> usize {
        self.len() - self.expired_len(now_ms)
    }

    /// How many fields have expired and are still here.
    fn expired_len(self, now_ms: i64) -> usize {
        match self {
            HashRef::Listpack(_) => 0,
            HashRef::TimedListpack(listpack) => flat::expired_len(listpack, now_ms),
            HashRef::Table(Fields(table)) => table.expired_len(now_ms),
        }
    }

    /// All fields whose time is not over, with their values: in a listpack in its order, else in the table's own.
    pub fn iter(self, now_ms: i64) -> impl Iterator<Item = (Element<'a>, Element<'a>)> {
        self.rows()
            .filter(move |(_, _, expire_at_ms)| !expire_at_ms.is_some_and(|at_ms| now_ms > at_ms))
            .map(|(field, value, _)| (field, value))
    }

    /// A hash of its own.
    pub fn to_hash(self) -> Hash {
        let form = match self {
            HashRef::Listpack(pack) => Form::Plain(pack.to_listpack()),
            HashRef::TimedListpack(pack) => Form::Volatile(Box::new(pack.to_listpack())),
            HashRef::Table(Fields(table)) => Form::Table(Box::new(table.clone())),
        };
        Hash { form }
    }

    pub(super) fn rows(self) -> impl Iterator<Item = Row<'a>> {
        let (flat, table) = match self {
            HashRef::Listpack(listpack) => (Some(flat::rows(listpack, PLAIN)), None),
            HashRef::TimedListpack(listpack) => (Some(flat::rows(listpack, VOLATILE)), None),
            HashRef::Table(Fields(table)) => (None, Some(table.iter())),
        };
        flat.into_iter().flatten().chain(table.into_iter().flatten().map(Pair::row))
    }

    /// Whether it is a listpack.
    pub fn is_flat(self) -> bool {
        !matches!(self, HashRef::Table(_))
    }

    /// Whether a random field takes a walk, as it does in a listpack, and where nearly all fields have expired.
    pub fn is_drawn_by_walking(self, now_ms: i64) -> bool {
        self.is_flat() || self.live_len(now_ms) < self.len() / SPARSE_DIVISOR
    }

    /// A random field with its value, each with the same chance. `None` if all have expired.
    pub fn random(self, now_ms: i64, random: &mut fastrand::Rng) -> Option<(Element<'a>, Element<'a>)> {
        if let HashRef::Table(Fields(table)) = self
            && !self.is_drawn_by_walking(now_ms)
        {
            for _ in 0..DRAWS_MAX {
                let pair = table.random(random)?;
                if !pair.is_expired(now_ms) {
                    return Some((Element::Bytes(pair.field()), Element::Bytes(pair.value())));
                }
            }
        }
        let live_len = self.live_len(now_ms);
        if live_len == 0 { None } else { self.iter(now_ms).nth(random.usize(..live_len)) }
    }

    /// Visits about `count` fields from a position on whose time is not over; 0 is the start. The position to go on
    /// from, or `None` at the end. A listpack is visited whole.
    pub fn scan(
        self,
        position: u64,
        count: usize,
        now_ms: i64,
        mut visit: impl FnMut(Element<'a>, Element<'a>),
    ) -> Option<u64> {
        let HashRef::Table(Fields(table)) = self else {
            self.iter(now_ms).for_each(|(field, value)| visit(field, value));
            return None;
        };
        table.scan(position, count, |pair| {
            if !pair.is_expired(now_ms) {
                visit(Element::Bytes(pair.field()), Element::Bytes(pair.value()));
            }
        })
    }

    /// The earliest time at which a field expires, in Unix milliseconds. Takes constant time.
    #[inline]
    pub fn next_field_expire_at_ms(self) -> Option<i64> {
        match self {
            HashRef::Listpack(_) => None,
            HashRef::TimedListpack(listpack) => flat::next_expire_at_ms(listpack),
            HashRef::Table(Fields(table)) => table.next_expire_at_ms(),
        }
    }
}

impl CollectionRef for HashRef<'_> {
    #[inline]
    fn len(self) -> usize {
        match self {
            HashRef::Listpack(listpack) => listpack.len() / PLAIN,
            HashRef::TimedListpack(listpack) => listpack.len() / VOLATILE,
            HashRef::Table(fields) => fields.len(),
        }
    }

    #[inline]
    fn is_empty(self) -> bool {
        match self {
            HashRef::Listpack(listpack) | HashRef::TimedListpack(listpack) => listpack.is_empty(),
            HashRef::Table(fields) => fields.len() == 0,
        }
    }

    fn encoding_name(self) -> &'static str {
        match self {
            HashRef::Listpack(_) => "listpack",
            HashRef::TimedListpack(_) => "listpackex",
            HashRef::Table(_) => "hashtable",
        }
    }

    fn content_bytes(self) -> usize {
        match self {
            HashRef::Listpack(listpack) | HashRef::TimedListpack(listpack) => listpack.len_bytes(),
            HashRef::Table(Fields(table)) => table.allocated_bytes(),
        }
    }
}

/// The same fields with the same values and times, however they are kept.
impl PartialEq for HashRef<'_> {
    fn eq(&self, other: &HashRef<'_>) -> bool {
        self.len() == other.len()
            && self.rows().all(|(field, value, expire_at_ms)| {
                other.find(&field.to_vec(), i64::MIN).is_some_and(|found| {
                    found.value.to_vec() == value.to_vec() && found.expire_at_ms == expire_at_ms
                })
            })
    }
}

impl std::fmt::Debug for HashRef<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |element: Element<'_>| element.to_vec().escape_ascii().to_string();
        f.debug_map().entries(self.iter(i64::MIN).map(|(field, value)| (text(field), text(value)))).finish()
    }
}
