//! Redis's digest of a dataset: SHA-1 sums, mixed where order counts and xored where it does not.

use sha1::{Digest as _, Sha1};
use tessera_command::prelude::*;
use tessera_keyspace::{Database, Entry};
use tessera_resp::number::DoubleText;
use tessera_values::HashRef;

/// How long a digest is.
pub const LEN_BYTES: usize = 20;
/// What stands for an expiry, whenever that is.
const HAS_EXPIRY: &[u8] = b"!!expire!!";
/// The same for a field of a hash, as later versions of Redis have it.
const HAS_FIELD_EXPIRY: &[u8] = b"!!hexpire!!";

/// A digest in the making.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub [u8; LEN_BYTES]);

impl Digest {
    /// Takes in data in any order.
    fn add(&mut self, data: &[u8]) {
        self.merge(&Sha1::digest(data));
    }

    /// Takes in data in this order.
    pub fn mix(&mut self, data: &[u8]) {
        self.add(data);
        self.0 = Sha1::digest(self.0).into();
    }

    /// Takes in what another has taken in by [`Digest::add`].
    pub fn merge(&mut self, other: &[u8]) {
        self.0.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
    }

    /// The digest of what a key holds. As in Redis, a key or a field whose time is over counts until it is gone.
    pub fn of_value(entry: Entry<'_>) -> Digest {
        let mut digest = Digest::default();
        digest.mix_value(entry);
        digest
    }

    /// All keys of a database with what they hold.
    pub fn of_database(database: &Database) -> Digest {
        let mut sum = Digest::default();
        for entry in database.table().iter() {
            let mut digest = Digest::default();
            digest.mix(entry.key());
            digest.mix_value(entry);
            sum.add(&digest.0);
        }
        sum
    }

    fn mix_value(&mut self, entry: Entry<'_>) {
        let mut digits = Digits::new();
        match entry.value() {
            ValueRef::String(string) => {
                self.mix(&0_u32.to_be_bytes());
                self.mix(string.as_bytes(&mut digits));
            }
            ValueRef::List(list) => {
                self.mix(&1_u32.to_be_bytes());
                list.iter().for_each(|element| self.mix(element.as_bytes(&mut digits)));
            }
            ValueRef::Set(set) => {
                self.mix(&2_u32.to_be_bytes());
                set.iter().for_each(|member| self.add(member.as_bytes(&mut digits)));
            }
            ValueRef::SortedSet(set) => {
                self.mix(&3_u32.to_be_bytes());
                for (member, score) in set.iter() {
                    let mut pair = Digest::default();
                    pair.mix(member.as_bytes(&mut digits));
                    pair.mix(DoubleText::new(score).as_bytes());
                    self.add(&pair.0);
                }
            }
            ValueRef::Hash(hash) => {
                self.mix(&4_u32.to_be_bytes());
                self.add_fields(hash);
            }
        }
        if entry.expire_at_ms().is_some() {
            self.add(HAS_EXPIRY);
        }
    }

    fn add_fields(&mut self, hash: HashRef<'_>) {
        let (mut digits, has_expiring) = (Digits::new(), hash.next_field_expire_at_ms().is_some());
        // At the beginning of time no field has expired.
        for (field, value) in hash.iter(i64::MIN) {
            let mut pair = Digest::default();
            let name = field.as_bytes(&mut digits);
            pair.mix(name);
            let expires =
                has_expiring && hash.find(name, i64::MIN).is_some_and(|found| found.expire_at_ms.is_some());
            pair.mix(value.as_bytes(&mut digits));
            if expires {
                pair.add(HAS_FIELD_EXPIRY);
            }
            self.add(&pair.0);
        }
    }

    /// As people read it.
    pub fn to_hex(self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
