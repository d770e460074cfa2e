//! Hashes: fields with values. Fields may expire one by one.
//!
//! A small hash is a listpack, a large one a hash table; it never goes back. A hash none of whose fields ever had an
//! expiry takes no memory for them.

mod deadlines;
mod flat;
mod pair;
mod reading;
mod table;

pub(crate) use reading::HashTrail;
pub use reading::{Field, Fields, Found, HashRef};

use crate::allocation::block_len_bytes;
use crate::listpack::Listpack;
use crate::{Collection, Thresholds, Value, ValueRef};
use flat::{PLAIN, VOLATILE};
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

/// A hash. Changes are about whatever is there, expired or not; what there is to look at is in [`HashRef`].
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

    /// The one in a listpack that has a time behind each value: Unix milliseconds, or 0 for none. It has each field
    /// once; fields that expire come first, in the order of time.
    pub fn from_listpack_with_times(listpack: Listpack) -> Hash {
        Hash { form: Form::Volatile(Box::new(listpack)) }
    }

    /// The bytes of its listpack, if it is one.
    pub(crate) fn into_flat_bytes(self) -> Option<Vec<u8>> {
        match self.form {
            Form::Plain(listpack) => Some(listpack.into_bytes()),
            Form::Volatile(listpack) => Some(listpack.into_bytes()),
            Form::Table(_) => None,
        }
    }

    /// Makes it a large one, however few its fields are.
    pub fn enlarge(&mut self, thresholds: &Thresholds) {
        if self.as_ref().is_flat() {
            self.convert(thresholds.seed);
        }
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
        // The bound may have been lowered since: as in Redis whatever is set shows it.
        if self.as_ref().is_flat() && self.len() as u64 > thresholds.hash_max_listpack_entries {
            self.convert(thresholds.seed);
        }
        is_new
    }

    /// To be called before the times of fields are changed. As in Redis a small hash takes the form that has them even
    /// if no field gets one.
    pub fn prepare_expiry(&mut self, thresholds: &Thresholds) {
        self.make_volatile(thresholds.seed);
    }

    /// Changes when a field expires. False if there is no such field.
    pub fn set_expire(&mut self, field: &[u8], expire_at_ms: Option<i64>, thresholds: &Thresholds) -> bool {
        if let Form::Plain(listpack) = &self.form {
            let is_there = flat::find(listpack, field, PLAIN).is_some();
            if !is_there || expire_at_ms.is_none() {
                return is_there;
            }
            self.make_volatile(thresholds.seed);
        } else if let Form::Volatile(listpack) = &self.form
            && !listpack.has_room_for(ROW_OVERHEAD_BYTES)
        {
            // A time takes more bytes than none.
            self.convert(thresholds.seed);
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
        for (field, value, expire_at_ms) in self.as_ref().rows() {
            let expire = expire_at_ms.map_or(FieldExpire::Clear, FieldExpire::AtMs);
            table.set(field.as_bytes(&mut field_digits), value.as_bytes(&mut value_digits), expire);
        }
        self.form = Form::Table(Box::new(table));
    }
}

/// See [`HashRef`].
impl PartialEq for Hash {
    fn eq(&self, other: &Hash) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl Collection for Hash {
    type Ref<'a> = HashRef<'a>;

    #[inline]
    fn as_ref(&self) -> HashRef<'_> {
        match &self.form {
            Form::Plain(listpack) => HashRef::Listpack(listpack),
            Form::Volatile(listpack) => HashRef::TimedListpack(listpack),
            Form::Table(table) => HashRef::Table(Fields(table)),
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

    #[inline]
    fn of_ref(value: ValueRef<'_>) -> Option<HashRef<'_>> {
        if let ValueRef::Hash(value) = value { Some(value) } else { None }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Hash> {
        if let Value::Hash(value) = value { Some(value) } else { None }
    }
}

#[cfg(test)]
mod tests;
