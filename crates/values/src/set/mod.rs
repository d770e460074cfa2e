//! Sets: integers in order, a listpack, or a hash table, by the same rules as in Redis.

mod intset;
mod members;
mod reading;
mod sampling;

pub use intset::{IntSet, Integers};
pub(crate) use reading::SetTrail;
pub use reading::{Iter, SetRef, TableMembers};

use crate::listpack::{ELEMENT_OVERHEAD_BYTES, Element, Listpack};
use crate::string::Digits;
use crate::{Collection, Thresholds, Value, ValueRef};
use members::Members;
use reading::find;

/// No set of integers becomes larger than this, whatever the threshold.
const INTSET_MAX_LEN: u64 = 1 << 30;
/// Longest element of a listpack that is an integer, in bytes.
const INTEGER_MAX_BYTES: usize = 10;

/// A set. What there is to look at is in [`SetRef`].
#[derive(Clone)]
pub struct Set {
    form: Form,
}

#[derive(Clone)]
enum Form {
    Integers(IntSet),
    Flat(Listpack),
    Table(Box<Members>),
}

impl Default for Set {
    /// An empty set of integers.
    fn default() -> Set {
        Set { form: Form::Integers(IntSet::new()) }
    }
}

impl Set {
    /// An empty set that is kept in the way that suits `first` and `count` members.
    pub fn for_members(first: Element<'_>, count: usize, thresholds: &Thresholds) -> Set {
        let count = count as u64;
        if first.as_integer().is_some() && count <= thresholds.set_max_intset_entries {
            Set::default()
        } else if count <= thresholds.set_max_listpack_entries {
            Set::flat()
        } else {
            Set { form: Form::Table(Box::new(Members::new(thresholds.seed))) }
        }
    }

    /// An empty set in a listpack.
    pub fn flat() -> Set {
        Set { form: Form::Flat(Listpack::new()) }
    }

    /// An empty set in a hash table.
    pub fn large(thresholds: &Thresholds) -> Set {
        Set { form: Form::Table(Box::new(Members::new(thresholds.seed))) }
    }

    /// The set of these integers, in a hash table if they are too many.
    pub fn from_integers(integers: IntSet, thresholds: &Thresholds) -> Set {
        let mut set = Set { form: Form::Integers(integers) };
        set.reserve(set.len(), thresholds);
        set
    }

    /// The set of a listpack's elements, each of which is there once. They go to a hash table if they are too many.
    pub fn from_listpack(listpack: Listpack, thresholds: &Thresholds) -> Set {
        let mut set = Set { form: Form::Flat(listpack) };
        set.reserve(set.len(), thresholds);
        set
    }

    pub(crate) fn of_integers(integers: IntSet) -> Set {
        Set { form: Form::Integers(integers) }
    }

    pub(crate) fn of_listpack(listpack: Listpack) -> Set {
        Set { form: Form::Flat(listpack) }
    }

    /// The bytes of its listpack or integers, if it is one or the other.
    pub(crate) fn into_flat_bytes(self) -> Option<Vec<u8>> {
        match self.form {
            Form::Integers(integers) => Some(integers.into_bytes()),
            Form::Flat(listpack) => Some(listpack.into_bytes()),
            Form::Table(_) => None,
        }
    }

    /// Makes ready for a command that adds up to `count` members: one that alone would outgrow a small set makes a
    /// large one of it.
    pub fn reserve(&mut self, count: usize, thresholds: &Thresholds) {
        let most = match self.form {
            Form::Integers(_) => thresholds.set_max_intset_entries,
            Form::Flat(_) => thresholds.set_max_listpack_entries,
            Form::Table(_) => return,
        };
        if count as u64 > most {
            self.become_table(thresholds);
        }
    }

    fn become_table(&mut self, thresholds: &Thresholds) {
        let mut members = Members::new(thresholds.seed);
        for element in self.as_ref().iter() {
            members.insert(element);
        }
        self.form = Form::Table(Box::new(members));
    }

    /// Adds a member. False if it is there already.
    pub fn add(&mut self, member: Element<'_>, thresholds: &Thresholds) -> bool {
        match &mut self.form {
            Form::Integers(integers) => {
                let Some(integer) = member.as_integer() else {
                    self.add_to_integers(member, thresholds);
                    return true;
                };
                let added = integers.insert(integer);
                if added && integers.len() as u64 > thresholds.set_max_intset_entries.min(INTSET_MAX_LEN) {
                    self.become_table(thresholds);
                }
                added
            }
            Form::Flat(pack) => {
                if find(pack, member).is_some() {
                    return false;
                }
                let len_bytes = member.len_bytes();
                if (pack.len() as u64) < thresholds.set_max_listpack_entries
                    && len_bytes as u64 <= thresholds.set_max_listpack_value_bytes
                    && pack.has_room_for(len_bytes.saturating_add(ELEMENT_OVERHEAD_BYTES))
                {
                    pack.insert(None, &[member]);
                } else {
                    self.become_table(thresholds);
                    self.add(member, thresholds);
                }
                true
            }
            Form::Table(members) => members.insert(member),
        }
    }

    /// Adds a member that is no integer to a set of integers.
    fn add_to_integers(&mut self, member: Element<'_>, thresholds: &Thresholds) {
        let Form::Integers(integers) = &self.form else { return };
        let digits = |integer: Option<i64>| integer.map_or(0, |integer| Digits::new().format(integer).len());
        let longest = digits(integers.first()).max(digits(integers.last())).max(member.len_bytes());
        let mut pack = Listpack::new();
        if (integers.len() as u64) < thresholds.set_max_listpack_entries
            && longest as u64 <= thresholds.set_max_listpack_value_bytes
            && pack.has_room_for(
                (integers.len() * INTEGER_MAX_BYTES + ELEMENT_OVERHEAD_BYTES)
                    .saturating_add(member.len_bytes()),
            )
        {
            let elements: Vec<Element<'_>> = integers.iter().map(Element::Integer).chain([member]).collect();
            pack.insert(None, &elements);
            self.form = Form::Flat(pack);
        } else {
            self.become_table(thresholds);
            self.add(member, thresholds);
        }
    }

    /// Takes a member away. False if it is not there.
    pub fn remove(&mut self, member: Element<'_>) -> bool {
        match &mut self.form {
            Form::Integers(integers) => member.as_integer().is_some_and(|integer| integers.remove(integer)),
            Form::Flat(pack) => {
                let position = find(pack, member);
                if let Some(position) = position {
                    pack.remove(position, 1);
                }
                position.is_some()
            }
            Form::Table(members) => members.remove(member).is_some(),
        }
    }

    /// Keeps its members, which are all integers, as such, if there are not too many.
    pub fn become_integers(&mut self, thresholds: &Thresholds) {
        if self.len() as u64 > thresholds.set_max_intset_entries.min(INTSET_MAX_LEN) {
            return;
        }
        let mut all: Vec<i64> = self.as_ref().iter().filter_map(Element::as_integer).collect();
        debug_assert_eq!(all.len(), self.len(), "some member is no integer");
        all.sort_unstable();
        let mut integers = IntSet::new();
        for integer in all {
            integers.insert(integer);
        }
        self.form = Form::Integers(integers);
    }
}

/// See [`SetRef`].
impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for Set {}

impl std::fmt::Debug for Set {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl Collection for Set {
    type Ref<'a> = SetRef<'a>;

    #[inline]
    fn as_ref(&self) -> SetRef<'_> {
        match &self.form {
            Form::Integers(integers) => SetRef::Integers(integers),
            Form::Flat(listpack) => SetRef::Listpack(listpack),
            Form::Table(members) => SetRef::Table(TableMembers(members)),
        }
    }

    fn allocated_bytes(&self) -> usize {
        match &self.form {
            Form::Integers(integers) => integers.allocated_bytes(),
            Form::Flat(pack) => pack.allocated_bytes(),
            Form::Table(members) => members.allocated_bytes(),
        }
    }

    fn free_some(&mut self) -> bool {
        match &mut self.form {
            Form::Integers(_) | Form::Flat(_) => false,
            Form::Table(members) => members.free_some(),
        }
    }

    #[inline]
    fn of_ref(value: ValueRef<'_>) -> Option<SetRef<'_>> {
        if let ValueRef::Set(value) = value { Some(value) } else { None }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut Set> {
        if let Value::Set(value) = value { Some(value) } else { None }
    }
}

#[cfg(test)]
mod tests;
