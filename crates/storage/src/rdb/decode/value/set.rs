//! Sets that come member by member.

use super::flat;
use crate::rdb::decode::reader::{Stop, bad};
use tessera_values::listpack::{Element, Listpack};
use tessera_values::set::IntSet;
use tessera_values::{Set, Thresholds};

/// No set of integers becomes larger than this, whatever the threshold.
const INTSET_MAX_LEN: u64 = 1 << 30;
/// Longest element of a listpack that is an integer, in bytes.
const INTEGER_MAX_BYTES: usize = 10;
const TWICE: &str = "a member of the set is there twice";

/// A set that is not whole yet, in the form that Redis would give it so far.
#[derive(Debug)]
pub(super) struct SetBuilder {
    form: Form,
    /// Longest member, in bytes.
    longest: usize,
    /// All members, in bytes.
    sum: usize,
}

/// Whether a member is there twice is looked at in the end, but of a large set.
#[derive(Debug)]
enum Form {
    /// In the order in which they came.
    Integers(Vec<i64>),
    /// With the number of its elements.
    Flat(Listpack, u64),
    Large(Set),
}

impl SetBuilder {
    /// For so many members.
    pub fn new(len: u64, thresholds: &Thresholds) -> SetBuilder {
        let form = if len > thresholds.set_max_intset_entries.min(INTSET_MAX_LEN) {
            Form::Large(Set::large(thresholds))
        } else {
            Form::Integers(Vec::new())
        };
        SetBuilder { form, longest: 0, sum: 0 }
    }

    /// The set as far as it goes, if it is a large one.
    pub fn large(&self) -> Option<&Set> {
        match &self.form {
            Form::Large(set) => Some(set),
            Form::Integers(_) | Form::Flat(..) => None,
        }
    }

    /// Adds a member.
    #[inline]
    pub fn add(&mut self, member: Element<'_>, thresholds: &Thresholds) -> Result<(), Stop> {
        let len_bytes = member.len_bytes();
        self.longest = self.longest.max(len_bytes);
        self.sum = self.sum.saturating_add(len_bytes);
        if let (Form::Integers(integers), Element::Bytes(_)) = (&mut self.form, member) {
            let integers = std::mem::take(integers);
            self.end_integers(integers, thresholds)?;
        }
        match &mut self.form {
            Form::Integers(integers) => integers.extend(member.as_integer()),
            Form::Flat(listpack, len)
                if *len < thresholds.set_max_listpack_entries
                    && len_bytes as u64 <= thresholds.set_max_listpack_value_bytes
                    && listpack.has_room_for(len_bytes + INTEGER_MAX_BYTES) =>
            {
                listpack.insert(None, &[member]);
                *len += 1;
            }
            Form::Flat(listpack, _) => {
                let elements = listpack.iter().chain([member]);
                self.form = Form::Large(large(elements, thresholds)?);
            }
            Form::Large(set) => {
                if !set.add(member, thresholds) {
                    return bad(TWICE);
                }
            }
        }
        Ok(())
    }

    /// Makes room for the first member that is no integer.
    fn end_integers(&mut self, integers: Vec<i64>, thresholds: &Thresholds) -> Result<(), Stop> {
        let integers = sorted(integers)?;
        let room = self.sum.saturating_add(integers.len() * INTEGER_MAX_BYTES);
        let elements = integers.iter().copied().map(Element::Integer);
        let fits = (integers.len() as u64) < thresholds.set_max_listpack_entries
            && self.longest as u64 <= thresholds.set_max_listpack_value_bytes
            && Listpack::new().has_room_for(room);
        self.form = if fits {
            let mut listpack = Listpack::new();
            listpack.extend(elements);
            Form::Flat(listpack, integers.len() as u64)
        } else {
            Form::Large(large(elements, thresholds)?)
        };
        Ok(())
    }

    /// The set.
    pub fn finish(self, thresholds: &Thresholds) -> Result<Set, Stop> {
        match self.form {
            Form::Integers(integers) => {
                Ok(Set::from_integers(IntSet::from_sorted(&sorted(integers)?), thresholds))
            }
            Form::Flat(listpack, _) => flat::set(listpack, thresholds),
            Form::Large(set) => Ok(set),
        }
    }
}

/// The same in ascending order, if each is there once.
fn sorted(mut integers: Vec<i64>) -> Result<Vec<i64>, Stop> {
    integers.sort_unstable();
    if integers.windows(2).any(|pair| pair[0] == pair[1]) { bad(TWICE) } else { Ok(integers) }
}

/// The large set of these members, if each is there once.
fn large<'e>(members: impl Iterator<Item = Element<'e>>, thresholds: &Thresholds) -> Result<Set, Stop> {
    let mut set = Set::large(thresholds);
    for member in members {
        if !set.add(member, thresholds) {
            return bad(TWICE);
        }
    }
    Ok(set)
}
