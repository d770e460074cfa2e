//! Lists: elements in an order, added and taken at both ends at the same cost.
//!
//! A short list is one listpack; a longer one is a quicklist, whose nodes are listpacks. `list-max-listpack-size`
//! bounds both. It is part of what `setting` stands for wherever a list may change its form, see [`ListSetting`].

mod builder;
mod limit;
mod node;
mod nodes;
mod quicklist;
mod reading;
mod setting;
mod walk;

pub use reading::{ListNodes, ListRef, NodePlace};

use crate::allocation::block_len_bytes;
use crate::listpack::{ELEMENT_OVERHEAD_BYTES, Element, Listpack};
use crate::{Collection, Value, ValueRef};
pub use builder::ListBuilder;
use limit::Limit;
use quicklist::{Popped, Quicklist};
pub use setting::ListSetting;
pub use walk::{Range, RangeBack};

/// The setting that Redis gives a list that SORT stores, whatever the configuration says.
const STORED_SETTING: i32 = -2;

/// One of the two ends of a list, and the direction from an element towards it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where index 0 is; left.
    Front,
    /// Where index -1 is; right.
    Back,
}

impl End {
    /// The other one.
    pub fn other(self) -> End {
        match self {
            End::Front => End::Back,
            End::Back => End::Front,
        }
    }
}

/// An element that was taken from a list, to be put into one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether its length counts when the list that it goes to asks if it will be too long for a listpack. Redis does
    /// not count integers that come from a quicklist.
    pub counts: bool,
}

#[derive(Clone)]
enum Form {
    Packed(Listpack),
    Quick(Box<Quicklist>),
}

/// A list. What there is to look at is in [`ListRef`].
#[derive(Clone)]
pub struct List {
    form: Form,
}

impl Default for List {
    fn default() -> List {
        List { form: Form::Packed(Listpack::new()) }
    }
}

impl List {
    /// The one of a listpack's elements, which is not too long for one list.
    pub(crate) fn from_listpack(listpack: Listpack) -> List {
        List { form: Form::Packed(listpack) }
    }

    /// The bytes of its listpack, if it is one.
    pub(crate) fn into_flat_bytes(self) -> Option<Vec<u8>> {
        match self.form {
            Form::Packed(listpack) => Some(listpack.into_bytes()),
            Form::Quick(_) => None,
        }
    }

    /// A list of these elements in the form that SORT stores them in.
    pub fn stored<'a>(elements: impl IntoIterator<Item = &'a [u8]>, setting: impl Into<ListSetting>) -> List {
        let setting = setting.into();
        let mut quicklist = Quicklist::new(Listpack::new(), STORED_SETTING);
        elements.into_iter().for_each(|element| quicklist.push(End::Back, element, setting));
        let mut list = List { form: Form::Quick(Box::new(quicklist)) };
        list.unite(setting, false);
        list
    }

    /// Becomes a quicklist if it is too long for a listpack, or will be with `added` more elements of `added_bytes`.
    #[inline]
    fn grow(&mut self, added: usize, added_bytes: usize, setting: ListSetting) {
        if let Form::Packed(listpack) = &mut self.form {
            let len_bytes = listpack.len_bytes().saturating_add(added_bytes);
            let overhead_bytes = added.saturating_mul(ELEMENT_OVERHEAD_BYTES);
            if Limit::new(setting.max_listpack_size)
                .is_exceeded(len_bytes, listpack.len().saturating_add(added))
                || !listpack.has_room_for(added_bytes.saturating_add(overhead_bytes))
            {
                let mut first = std::mem::take(listpack);
                first.trim();
                let quicklist = Quicklist::new(first, setting.max_listpack_size);
                self.form = Form::Quick(Box::new(quicklist));
            }
        }
    }

    /// Becomes a listpack if it is short enough.
    #[inline]
    fn unite(&mut self, setting: ListSetting, is_shrinking: bool) {
        if let Form::Quick(quicklist) = &mut self.form
            && let Some(listpack) =
                quicklist.take_listpack(Limit::new(setting.max_listpack_size), is_shrinking)
        {
            self.form = Form::Packed(listpack);
        }
    }

    /// Adds elements at an end, one after the other.
    pub fn push<'a>(
        &mut self,
        end: End,
        elements: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
        setting: impl Into<ListSetting>,
    ) {
        let setting = setting.into();
        let added_bytes = elements.clone().fold(0usize, |sum, element| sum.saturating_add(element.len()));
        self.grow(elements.len(), added_bytes, setting);
        match &mut self.form {
            Form::Quick(quicklist) => elements.for_each(|element| quicklist.push(end, element, setting)),
            Form::Packed(listpack) if elements.len() == 1 => elements.for_each(|element| match end {
                End::Front => listpack.push_front(element),
                End::Back => listpack.push_back(element),
            }),
            // All at once: one by one each would move those before it.
            Form::Packed(listpack) => {
                let mut elements: Vec<Element<'_>> = elements.map(Element::new).collect();
                if end == End::Front {
                    elements.reverse();
                }
                let position = if end == End::Front { listpack.first() } else { None };
                listpack.insert(position, &elements);
            }
        }
    }

    /// Adds an element that was taken from another list, or from this one.
    pub fn push_taken(&mut self, end: End, taken: &Taken, setting: impl Into<ListSetting>) {
        let setting = setting.into();
        self.grow(1, if taken.counts { taken.bytes.len() } else { 0 }, setting);
        match &mut self.form {
            Form::Quick(quicklist) => quicklist.push(end, &taken.bytes, setting),
            Form::Packed(listpack) => match end {
                End::Front => listpack.push_front(&taken.bytes),
                End::Back => listpack.push_back(&taken.bytes),
            },
        }
    }

    /// Takes the element at an end.
    pub fn pop(&mut self, end: End, setting: impl Into<ListSetting>) -> Option<Taken> {
        let setting = setting.into();
        let taken = self.pop_as_it_is(end);
        self.unite(setting, true);
        taken
    }

    /// The same, and keeps the form.
    fn pop_as_it_is(&mut self, end: End) -> Option<Taken> {
        match &mut self.form {
            Form::Quick(quicklist) => {
                let Popped { bytes, is_integer } = quicklist.pop(end)?;
                Some(Taken { bytes, counts: !is_integer })
            }
            Form::Packed(listpack) => {
                let position = match end {
                    End::Front => listpack.first(),
                    End::Back => listpack.last(),
                }?;
                let bytes = listpack.get(position).to_vec();
                listpack.remove(position, 1);
                Some(Taken { bytes, counts: true })
            }
        }
    }

    /// Takes the element at one end and adds it at the same end or the other. Its bytes.
    pub fn rotate(&mut self, from: End, to: End, setting: impl Into<ListSetting>) -> Option<Vec<u8>> {
        let setting = setting.into();
        let taken = self.pop_as_it_is(from)?;
        self.push_taken(to, &taken, setting);
        self.unite(setting, true);
        Some(taken.bytes)
    }

    /// Puts another element in the place of the one with this index. False if there is none.
    pub fn set(&mut self, index: usize, element: &[u8], setting: impl Into<ListSetting>) -> bool {
        let setting = setting.into();
        // Redis asks before it looks.
        self.grow(1, element.len(), setting);
        let is_set = match &mut self.form {
            Form::Quick(quicklist) => quicklist.set(index, element, setting),
            Form::Packed(listpack) => match listpack.seek(index) {
                Some(position) => {
                    listpack.replace(position, element);
                    true
                }
                None => false,
            },
        };
        if is_set {
            self.unite(setting, true);
        }
        is_set
    }

    /// Adds an element before or behind the first that is `pivot`. False if there is none.
    pub fn insert(
        &mut self,
        side: End,
        pivot: &[u8],
        element: &[u8],
        setting: impl Into<ListSetting>,
    ) -> bool {
        let setting = setting.into();
        // Redis asks before it looks.
        self.grow(1, element.len(), setting);
        match &mut self.form {
            Form::Quick(quicklist) => match quicklist.find(pivot) {
                Some(at) => {
                    quicklist.insert(at, side, element, setting);
                    true
                }
                None => false,
            },
            Form::Packed(listpack) => match listpack.find(listpack.first(), pivot, 1) {
                Some(position) => {
                    let position = match side {
                        End::Front => Some(position),
                        End::Back => listpack.next(position),
                    };
                    listpack.insert(position, &[Element::new(element)]);
                    true
                }
                None => false,
            },
        }
    }

    /// Takes away the elements equal to `needle`, at most `max` of them, beginning at an end. How many it were.
    pub fn remove_equal(
        &mut self,
        from: End,
        max: usize,
        needle: &[u8],
        setting: impl Into<ListSetting>,
    ) -> usize {
        let setting = setting.into();
        let removed = match &mut self.form {
            Form::Quick(quicklist) => quicklist.remove_equal(from, max, needle),
            Form::Packed(listpack) => quicklist::remove_equal(listpack, from, max, needle),
        };
        if removed > 0 {
            self.unite(setting, true);
        }
        removed
    }

    /// Takes away `count` elements, or as many as there are, at an end.
    pub fn remove_at(&mut self, end: End, count: usize, setting: impl Into<ListSetting>) {
        let setting = setting.into();
        self.remove_as_it_is(end, count);
        self.unite(setting, true);
    }

    /// Takes away so many elements at both ends, or as many as there are.
    pub fn trim(&mut self, front: usize, back: usize, setting: impl Into<ListSetting>) {
        let setting = setting.into();
        self.remove_as_it_is(End::Front, front);
        self.remove_as_it_is(End::Back, back);
        self.unite(setting, true);
    }

    fn remove_as_it_is(&mut self, end: End, count: usize) {
        let len = self.len();
        let count = count.min(len);
        let start = if end == End::Front { 0 } else { len - count };
        match &mut self.form {
            _ if count == 0 => {}
            Form::Quick(quicklist) => quicklist.remove_range(start, count),
            Form::Packed(listpack) => {
                if let Some(position) = listpack.seek(start) {
                    listpack.remove(position, count);
                }
            }
        }
    }
}

impl std::fmt::Debug for List {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.as_ref().fmt(f)
    }
}

/// See [`ListRef`].
impl PartialEq for List {
    fn eq(&self, other: &List) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl Eq for List {}

impl Collection for List {
    type Ref<'a> = ListRef<'a>;

    #[inline]
    fn as_ref(&self) -> ListRef<'_> {
        match &self.form {
            Form::Packed(listpack) => ListRef::Listpack(listpack),
            Form::Quick(quicklist) => ListRef::Nodes(ListNodes(quicklist)),
        }
    }

    #[inline]
    fn allocated_bytes(&self) -> usize {
        match &self.form {
            Form::Packed(listpack) => listpack.allocated_bytes(),
            Form::Quick(quicklist) => {
                block_len_bytes(size_of::<Quicklist>()) + quicklist.nodes().allocated_bytes()
            }
        }
    }

    fn free_some(&mut self) -> bool {
        match &mut self.form {
            Form::Packed(_) => false,
            Form::Quick(quicklist) => quicklist.free_some(),
        }
    }

    #[inline]
    fn of_ref(value: ValueRef<'_>) -> Option<ListRef<'_>> {
        if let ValueRef::List(value) = value { Some(value) } else { None }
    }

    #[inline]
    fn of_mut(value: &mut Value) -> Option<&mut List> {
        if let Value::List(value) = value { Some(value) } else { None }
    }
}

#[cfg(test)]
mod tests;
