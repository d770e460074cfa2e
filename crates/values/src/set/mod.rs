//! Sets: integers in order, a listpack, or a hash table, by the same rules as in Redis.

mod form;
mod intset;
mod members;
mod sampling;

pub use form::{SetForm, TableMembers};
pub use intset::IntSet;

use crate::listpack::{self, Element, Listpack, Position};
use crate::string::Digits;
use crate::{Collection, Thresholds, Value, ValueRef};
use members::{Member, Members};

/// No set of integers becomes larger than this, whatever the threshold.
const INTSET_MAX_LEN: u64 = 1 << 30;
/// Longest element of a listpack that is an integer, in bytes.
const INTEGER_MAX_BYTES: usize = 10;

/// A set.
#[derive(Clone, Debug)]
pub struct Set {
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Integers(IntSet),
    Flat(Listpack),
    Table(Box<Members>),
}

const _: () = assert!(size_of::<Set>() <= 24);

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
        set.expect(set.len(), thresholds);
        set
    }

    /// The set of a listpack's elements, each of which is there once. They go to a hash table if they are too many.
    pub fn from_listpack(listpack: Listpack, thresholds: &Thresholds) -> Set {
        let mut set = Set { form: Form::Flat(listpack) };
        set.expect(set.len(), thresholds);
        set
    }

    /// Whether it is kept as integers in order.
    pub fn is_intset(&self) -> bool {
        matches!(self.form, Form::Integers(_))
    }

    /// Makes ready for a command that adds up to `count` members: one that alone would outgrow a small set makes a large
    /// one of it.
    pub fn expect(&mut self, count: usize, thresholds: &Thresholds) {
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
        for element in self.iter() {
            members.insert(element);
        }
        self.form = Form::Table(Box::new(members));
    }

    /// Whether it is there.
    pub fn contains(&self, member: Element<'_>) -> bool {
        match &self.form {
            Form::Integers(integers) => member.as_integer().is_some_and(|integer| integers.contains(integer)),
            Form::Flat(pack) => find(pack, member).is_some(),
            Form::Table(members) => members.contains(member),
        }
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
                    && pack.has_room_for(len_bytes)
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
            && pack.has_room_for(integers.len() * INTEGER_MAX_BYTES + member.len_bytes())
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

    /// All members, in an order of the set's own.
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            form: match &self.form {
                Form::Integers(integers) => IterForm::Integers(integers, 0),
                Form::Flat(pack) => IterForm::Flat(pack.iter()),
                Form::Table(members) => IterForm::Table(Box::new(members.iter())),
            },
        }
    }

    /// Visits about `count` members from a position on; 0 is the start. The position to go on from, or `None` at the end.
    /// A small set is visited whole.
    pub fn scan<'s>(
        &'s self,
        position: u64,
        count: usize,
        mut visit: impl FnMut(Element<'s>),
    ) -> Option<u64> {
        match &self.form {
            Form::Table(members) => members.scan(position, count, visit),
            Form::Integers(_) | Form::Flat(_) => {
                self.iter().for_each(&mut visit);
                None
            }
        }
    }

    /// Keeps its members, which are all integers, as such, if there are not too many.
    pub fn become_integers(&mut self, thresholds: &Thresholds) {
        if self.len() as u64 > thresholds.set_max_intset_entries.min(INTSET_MAX_LEN) {
            return;
        }
        let mut all: Vec<i64> = self.iter().filter_map(Element::as_integer).collect();
        debug_assert_eq!(all.len(), self.len(), "some member is no integer");
        all.sort_unstable();
        let mut integers = IntSet::new();
        for integer in all {
            integers.insert(integer);
        }
        self.form = Form::Integers(integers);
    }
}

fn find(pack: &Listpack, member: Element<'_>) -> Option<Position> {
    let mut elements = pack.iter();
    loop {
        let position = elements.position()?;
        if elements.next()? == member {
            return Some(position);
        }
    }
}

/// See [`Set::iter`].
pub struct Iter<'a> {
    form: IterForm<'a>,
}

enum IterForm<'a> {
    /// With the index of the next.
    Integers(&'a IntSet, usize),
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

/// Equal sets have equal members, however kept.
impl PartialEq for Set {
    fn eq(&self, other: &Set) -> bool {
        self.len() == other.len() && self.iter().all(|member| other.contains(member))
    }
}

impl Eq for Set {}

impl Collection for Set {
    fn len(&self) -> usize {
        match &self.form {
            Form::Integers(integers) => integers.len(),
            Form::Flat(pack) => pack.len(),
            Form::Table(members) => members.len(),
        }
    }

    fn is_empty(&self) -> bool {
        match &self.form {
            Form::Flat(pack) => pack.is_empty(),
            Form::Integers(integers) => integers.len() == 0,
            Form::Table(members) => members.len() == 0,
        }
    }

    fn encoding_name(&self) -> &'static str {
        match self.form {
            Form::Integers(_) => "intset",
            Form::Flat(_) => "listpack",
            Form::Table(_) => "hashtable",
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

    fn of_ref(value: ValueRef<'_>) -> Option<&Set> {
        if let ValueRef::Set(value) = value { Some(value) } else { None }
    }

    fn of_mut(value: &mut Value) -> Option<&mut Set> {
        if let Value::Set(value) = value { Some(value) } else { None }
    }
}

#[cfg(test)]
mod tests;
