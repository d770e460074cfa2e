//! Hashes that come field by field.

use super::flat;
use crate::rdb::decode::reader::{Stop, bad};
use tessera_values::hash::FieldExpire;
use tessera_values::listpack::{Element, Listpack};
use tessera_values::{Digits, Hash, Thresholds};

/// What a field takes at most besides its text and its value's, in bytes.
const ROW_OVERHEAD_BYTES: usize = 40;

/// A hash that is not whole yet.
#[derive(Debug)]
pub(super) enum HashBuilder {
    /// A listpack, so far. Whether a field is there twice is looked at in the end.
    Flat {
        /// Fields, values and maybe times.
        listpack: Listpack,
        /// There are times, 0 for none.
        with_times: bool,
    },
    /// A hash table.
    Large(Hash),
}

impl HashBuilder {
    /// For so many fields.
    pub fn new(len: u64, with_times: bool, thresholds: &Thresholds) -> HashBuilder {
        if len > thresholds.hash_max_listpack_entries {
            let mut hash = Hash::default();
            hash.enlarge(thresholds);
            return HashBuilder::Large(hash);
        }
        HashBuilder::Flat { listpack: Listpack::new(), with_times }
    }

    /// The hash as far as it goes, if it is a large one.
    pub fn large(&self) -> Option<&Hash> {
        match self {
            HashBuilder::Large(hash) => Some(hash),
            HashBuilder::Flat { .. } => None,
        }
    }

    /// Adds a field.
    #[inline]
    pub fn add(
        &mut self,
        field: Element<'_>,
        value: Element<'_>,
        expire_at_ms: Option<i64>,
        thresholds: &Thresholds,
    ) -> Result<(), Stop> {
        if let HashBuilder::Flat { listpack, with_times } = self {
            let (field_len, value_len) = (field.len_bytes(), value.len_bytes());
            if field_len.max(value_len) as u64 <= thresholds.hash_max_listpack_value_bytes
                && listpack.has_room_for(field_len + value_len + ROW_OVERHEAD_BYTES)
            {
                let row = [field, value, Element::Integer(expire_at_ms.unwrap_or_default())];
                listpack.insert(None, if *with_times { &row } else { &row[..2] });
                return Ok(());
            }
            let mut hash = flat_hash(std::mem::take(listpack), *with_times, thresholds)?;
            hash.enlarge(thresholds);
            *self = HashBuilder::Large(hash);
        }
        if let HashBuilder::Large(hash) = self {
            let expire = expire_at_ms.map_or(FieldExpire::Clear, FieldExpire::AtMs);
            let (mut field_digits, mut value_digits) = (Digits::new(), Digits::new());
            let (field, value) = (field.as_bytes(&mut field_digits), value.as_bytes(&mut value_digits));
            if !hash.set(field, value, expire, thresholds) {
                return bad("a field of the hash is there twice");
            }
        }
        Ok(())
    }

    /// The hash.
    pub fn finish(self, thresholds: &Thresholds) -> Result<Hash, Stop> {
        match self {
            HashBuilder::Flat { listpack, with_times } => flat_hash(listpack, with_times, thresholds),
            HashBuilder::Large(hash) => Ok(hash),
        }
    }
}

fn flat_hash(listpack: Listpack, with_times: bool, thresholds: &Thresholds) -> Result<Hash, Stop> {
    if with_times { flat::hash_with_times(listpack, thresholds) } else { flat::hash(listpack, thresholds) }
}
