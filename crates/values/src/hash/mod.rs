//! Hashes: fields with values. Fields may expire one by one.
//!
//! A small hash is a listpack, a large one a hash table; it never goes back. A hash none of whose fields ever had an expiry
//! takes no memory for them.

mod deadlines;
mod flat;
mod form;
mod pair;
mod table;

pub use form::{Field, Fields, HashForm};

use crate::allocation::block_len_bytes;
use crate::listpack::{Element, Listpack};
use crate::{Collection, Thresholds, Value, ValueRef};
use flat::{PLAIN, VOLATILE};
use pair::Pair;
use table::PairTable;

/// What a row of a listpack takes at most besides field and value, in bytes.
const ROW_OVERHEAD_BYTES: usize = 40;

/// What becomes of a field's expiry when its value is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldExpire {
    /// It stays as it was.
    Keep,
    /// The field lives on without end.
    Clear,
    /// The field expires at this Unix time in milliseconds.
    AtMs(i64),
}

impl FieldExpire {
    fn after(self, before_ms: Option<i64>) -> Option<i64> {
        match self {
            FieldExpire::Keep => before_ms,
            FieldExpire::Clear => None,
            FieldExpire::AtMs(at_ms) => Some(at_ms),
        }
    }
}

/// A hash. Whoever reads it says what time it is, and does not see what has expired by then; changes are about whatever is
/// there, expired or not.
#[derive(Clone)]
pub struct Hash {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Plain(Listpack),
    /// Fields have times.
    Volatile(Box<Listpack>),
    Table(Box<PairTable>),
}

/// What is there of a field.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// Its value. [`Element::Bytes`] may be digits, too.
    pub value: Element<'a>,
    /// When it expires, in Unix milliseconds.
    pub expire_at_ms: Option<i64>,
}

impl Default for Hash {
    fn default() -> Hash {
        Hash { form: Form::Plain(Listpack::new()) }
    }
}

impl Hash {
    /// The one in a listpack of fields and values in turn, which has each field once.
    pub fn from_listpack(listpack: Listpack) -> Hash {
        Hash { form: Form::Plain(listpack) }
    }

    /// The one in a listpack that has a time behind each value: Unix milliseconds, or 0 for none. It has each field once;
    /// fields that expire come first, in the order of time.
    pub fn from_listpack_with_times(listpack: Listpack) -> Hash {
        Hash { form: Form::Volatile(Box::new(listpack)) }
    }

    /// Makes it a large one, however few its fields are.
    pub fn enlarge(&mut self, thresholds: &Thresholds) {
        if self.is_flat() {
            self.convert(thresholds.seed);
        }
    }

    /// A field, if it is there and its time not over.
    #[inline]
    pub fn find(&self, field: &[u8], now_ms: i64) -> Option<Found<'_>> {
        let (value, expire_at_ms) = match &self.form {
            Form::Plain(listpack) => (listpack.get(flat::find(listpack, field, PLAIN)?), None),
            Form::Volatile(listpack) => {
                let place = flat::find(listpack, field, VOLATILE)?;
                (listpack.get(place), flat::expire_at_ms(listpack, place))
            }
            Form::Table(table) => {
                let pair = table.find(field)?;
                (Element::Bytes(pair.value()), pair.expire_at_ms())
            }
        };
        let is_expired = expire_at_ms.is_some_and(|at_ms| now_ms > at_ms);
        (!is_expired).then_some(Found { value, expire_at_ms })
    }

    /// The value of a field, if it is there and its time not over.
    #[inline]
    pub fn get(&self, field: &[u8], now_ms: i64) -> Option<Element<'_>> {
        Some(self.find(field, now_ms)?.value)
    }

    /// How many fields there are whose time is not over.
    #[inline]
    pub fn live_len(&self, now_ms: i64) -> usize {
        self.len() - self.expired_len(now_ms)
    }

    /// How many fields have expired and are still here.
    fn expired_len(&self, now_ms: i64) -> usize {
        match &self.form {
            Form::Plain(_) => 0,
            Form::Volatile(listpack) => flat::expired_len(listpack, now_ms),
            Form::Table(table) => table.expired_len(now_ms),
        }
    }

    /// All fields whose time is not over, with their values: in a listpack in its order, else in the table's own.
    pub fn iter(&self, now_ms: i64) -> impl Iterator<Item = (Element<'_>, Element<'_>)> {
        self.rows()
            .filter(move |(_, _, expire_at_ms)| !expire_at_ms.is_some_and(|at_ms| now_ms > at_ms))
            .map(|(field, value, _)| (field, value))
    }

    fn rows(&self) -> impl Iterator<Item = flat::Row<'_>> {
        let (flat, table) = match &self.form {
            Form::Plain(listpack) => (Some(flat::rows(listpack, PLAIN)), None),
            Form::Volatile(listpack) => (Some(flat::rows(listpack, VOLATILE)), None),
            Form::Table(table) => (None, Some(table.iter())),
        };
        flat.into_iter().flatten().chain(table.into_iter().flatten().map(Pair::row))
    }

    /// Whether a random field takes a walk, as it does in a listpack.
    pub fn is_flat(&self) -> bool {
        !matches!(self.form, Form::Table(_))
    }

    /// A random field with its value, each with the same chance. `None` if all have expired.
    pub fn random(&self, now_ms: i64, random: &mut fastrand::Rng) -> Option<(Element<'_>, Element<'_>)> {
        let table = match &self.form {
            Form::Table(table) => table,
            Form::Plain(_) | Form::Volatile(_) => {
                let live_len = self.live_len(now_ms);
                return if live_len == 0 { None } else { self.iter(now_ms).nth(random.usize(..live_len)) };
            }
        };
        for _ in 0..100 {
            let pair = table.random(random)?;
            if !pair.is_expired(now_ms) {
                return Some((Element::Bytes(pair.field()), Element::Bytes(pair.value())));
            }
        }
        // Nearly everything has expired.
        self.iter(now_ms).next()
    }

    /// Visits about `count` fields from a position on whose time is not over; 0 is the start. The position to go on
    /// from, or `None` at the end. A listpack is visited whole.
    pub fn scan<'h>(
        &'h self,
        position: u64,
        count: usize,
        now_ms: i64,
        mut visit: impl FnMut(Element<'h>, Element<'h>),
    ) -> Option<u64> {
        let Form::Table(table) = &self.form else {
            self.iter(now_ms).for_each(|(field, value)| visit(field, value));
            return None;
        };
        table.scan(position, count, |pair| {
            if !pair.is_expired(now_ms) {
                visit(Element::Bytes(pair.field()), Element::Bytes(pair.value()));
            }
        })
    }

    /// To be called before `fields` fields are set one by one: goes over to a hash table at once if they, or one of the
    /// `words` that are their names and values, are too many or too long for a listpack.
    pub fn prepare<'w>(
        &mut self,
        fields: usize,
        words: impl Iterator<Item = &'w [u8]>,
        thresholds: &Thresholds,
    ) {
        let (Form::Plain(_) | Form::Volatile(_)) = &self.form else { return };
        let mut sum: usize = 0;
        let mut fits = fields as u64 <= thresholds.hash_max_listpack_entries;
        if fits {
            for word in words {
                sum = sum.saturating_add(word.len());
                if word.len() as u64 > thresholds.hash_max_listpack_value_bytes {
                    fits = false;
                    break;
                }
            }
        }
        if !fits || !self.has_room_for(sum) {
            self.convert(thresholds.seed);
        }
    }

    fn has_room_for(&self, added: usize) -> bool {
        match &self.form {
            Form::Plain(listpack) => listpack.has_room_for(added),
            Form::Volatile(listpack) => listpack.has_room_for(added),
            Form::Table(_) => true,
        }
    }

    /// Sets a field. True if it is new.
    pub fn set(&mut self, field: &[u8], value: &[u8], expire: FieldExpire, thresholds: &Thresholds) -> bool {
        if let Form::Table(table) = &mut self.form {
            return table.set(field, value, expire);
        }
        let longest = field.len().max(value.len());
        let row_bytes = field.len().saturating_add(value.len()).saturating_add(ROW_OVERHEAD_BYTES);
        if longest as u64 > thresholds.hash_max_listpack_value_bytes || !self.has_room_for(row_bytes) {
            self.convert(thresholds.seed);
        } else if matches!(expire, FieldExpire::AtMs(_)) {
            self.make_volatile(thresholds.seed);
        }
        let is_new = match &mut self.form {
            Form::Plain(listpack) => flat::set(listpack, field, value),
            Form::Volatile(listpack) => flat::set_volatile(listpack, field, value, expire),
            Form::Table(table) => table.set(field, value, expire),
        };
        if is_new && self.is_flat() && self.len() as u64 > thresholds.hash_max_listpack_entries {
            self.convert(thresholds.seed);
        }
        is_new
    }

    /// Changes when a field expires. False if there is no such field.
    pub fn set_expire(&mut self, field: &[u8], expire_at_ms: Option<i64>, thresholds: &Thresholds) -> bool {
        if let Form::Plain(listpack) = &self.form {
            let is_there = flat::find(listpack, field, PLAIN).is_some();
            if !is_there || expire_at_ms.is_none() {
                return is_there;
            }
            self.make_volatile(thresholds.seed);
        }
        match &mut self.form {
            Form::Plain(_) => false,
            Form::Volatile(listpack) => flat::set_expire(listpack, field, expire_at_ms),
            Form::Table(table) => table.set_expire(field, expire_at_ms),
        }
    }

    /// Removes a field. False if it was not there.
    pub fn remove(&mut self, field: &[u8]) -> bool {
        match &mut self.form {
            Form::Plain(listpack) => flat::remove(listpack, field, PLAIN),
            Form::Volatile(listpack) => flat::remove(listpack, field, VOLATILE),
            Form::Table(table) => table.remove(field),
        }
    }

    /// The earliest time at which a field expires, in Unix milliseconds. Takes constant time.
    #[inline]
    pub fn next_field_expire_at_ms(&self) -> Option<i64> {
        match &self.form {
            Form::Plain(_) => None,
            Form::Volatile(listpack) => flat::next_expire_at_ms(listpack),
            Form::Table(table) => table.next_expire_at_ms(),
        }
    }

    /// Removes about `max` fields at most that have expired, those first that expired first, and tells their names.
    pub fn remove_expired_fields(&mut self, now_ms: i64, max: usize, removed: impl FnMut(&[u8])) {
        match &mut self.form {
            Form::Plain(_) => {}
            Form::Volatile(listpack) => flat::remove_expired(listpack, now_ms, max, removed),
            Form::Table(table) => table.remove_expired(now_ms, max, removed),
        }
    }

    /// Gives each field a time from now on, if there is room.
    fn make_volatile(&mut self, seed: u64) {
        let Form::Plain(listpack) = &self.form else { return };
        if listpack.has_room_for((listpack.len() / PLAIN + 1) * ROW_OVERHEAD_BYTES) {
            self.form = Form::Volatile(Box::new(flat::with_times(listpack)));
        } else {
            self.convert(seed);
        }
    }

    /// Makes a hash table of it.
    fn convert(&mut self, seed: u64) {
        let mut table = PairTable::new(seed);
        let (mut field_digits, mut value_digits) = (crate::Digits::new(), crate::Digits::new());
        for (field, value, expire_at_ms) in self.rows() {
            let expire = expire_at_ms.map_or(FieldExpire::Clear, FieldExpire::AtMs);
            table.set(field.as_bytes(&mut field_digits), value.as_bytes(&mut value_digits), expire);
        }
        self.form = Form::Table(Box::new(table));
    }
}

/// The same fields with the same values and times, however they are kept.
impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        self.len() == other.len()
            && self.rows().all(|(field, value, expire_at_ms)| {
                other.find(&field.to_vec(), i64::MIN).is_some_and(|found| {
                    found.value.to_vec() == value.to_vec() && found.expire_at_ms == expire_at_ms
                })
            })
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |element: Element<'_>| element.to_vec().escape_ascii().to_string();
        f.debug_map().entries(self.iter(i64::MIN).map(|(field, value)| (text(field), text(value)))).finish()
    }
}

impl Collection for Hash {
    fn len(&self) -> usize {
        match &self.form {
            Form::Plain(listpack) => listpack.len() / PLAIN,
            Form::Volatile(listpack) => listpack.len() / VOLATILE,
            Form::Table(table) => table.len(),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.form {
            Form::Plain(listpack) => listpack.is_empty(),
            Form::Volatile(listpack) => listpack.is_empty(),
            Form::Table(table) => table.len() == 0,
        }
    }

    fn encoding_name(&self) -> &'static str {
        match &self.form {
            Form::Plain(_) => "listpack",
            Form::Volatile(_) => "listpackex",
            Form::Table(_) => "hashtable",
        }
    }

    fn allocated_bytes(&self) -> usize {
        match &self.form {
            Form::Plain(listpack) => listpack.allocated_bytes(),
            Form::Volatile(listpack) => block_len_bytes(size_of::<Listpack>()) + listpack.allocated_bytes(),
            Form::Table(table) => block_len_bytes(size_of::<PairTable>()) + table.allocated_bytes(),
        }
    }

    fn free_some(&mut self) -> bool {
        match &mut self.form {
            Form::Plain(_) | Form::Volatile(_) => false,
            Form::Table(table) => table.free_some(),
        }
    }

    fn of_ref(value: ValueRef<'_>) -> Option<&Hash> {
        if let ValueRef::Hash(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Hash> {
        if let Value::Hash(value) = value { Some(value) } else { None }
    }
}

#[cfg(test)]
mod tests;
