//! The way to an element of a large collection, a cache miss at a time: whoever has many elements to look for goes all
//! ways side by side, so that the processor waits for memory once and not once for each.

use crate::hash::HashTrail;
use crate::set::SetTrail;
use crate::sorted_set::SortedSetTrail;
use crate::table::Way;
use crate::{HashRef, SetRef, SortedSetRef, ValueRef};

/// A way, gone some steps. Going it changes nothing and finds nothing out: what is at its end may be another element.
pub struct Trail<'a>(Inner<'a>);

enum Inner<'a> {
    Hash(HashTrail<'a>),
    Set(SetTrail<'a>),
    SortedSet(SortedSetTrail<'a>),
}

impl<'a> ValueRef<'a> {
    /// The way to an element (a field, a member) of a large collection. `None` for all that is no large collection of
    /// named elements.
    #[inline]
    pub fn trail(self, element: &[u8]) -> Option<Trail<'a>> {
        Some(Trail(match self {
            ValueRef::Hash(HashRef::Table(fields)) => Inner::Hash(fields.trail(element)),
            ValueRef::Set(SetRef::Table(members)) => Inner::Set(members.trail(element)),
            ValueRef::SortedSet(SortedSetRef::Ranked(members)) => Inner::SortedSet(members.trail(element)),
            _ => return None,
        }))
    }
}

impl Trail<'_> {
    /// Goes all these ways to their ends, side by side. `prefetch` has the processor load an address, and need not.
    #[inline]
    pub fn go(trails: &mut [Option<Trail<'_>>], prefetch: impl Fn(*const u8)) {
        for _ in 0..Way::<()>::STEPS {
            trails.iter_mut().flatten().filter_map(Trail::advance).for_each(&prefetch);
        }
    }

    /// Goes a step, which looks at the address named last. The address that the next one looks at; `None` at the end.
    #[inline]
    fn advance(&mut self) -> Option<*const u8> {
        match &mut self.0 {
            Inner::Hash(trail) => trail.advance(),
            Inner::Set(trail) => trail.advance(),
            Inner::SortedSet(trail) => trail.advance(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::hash::FieldExpire;
    use crate::listpack::Element;
    use crate::table::Way;
    use crate::{Collection, CollectionRef, Hash, Set, SortedSet, Thresholds, ValueRef};
    use std::collections::BTreeMap;

    const LEN: usize = 10_000;

    fn names() -> impl Iterator<Item = String> {
        (0..LEN).map(|index| format!("element {index}"))
    }

    fn address_of(element: Element<'_>) -> usize {
        match element {
            Element::Bytes(bytes) => bytes.as_ptr() as usize,
            Element::Integer(_) => unreachable!("no name is a number"),
        }
    }

    /// Most ways have to end where the element is; an element before it may have the same few bits of a hash.
    fn check(value: ValueRef<'_>, expected: impl Fn(&str) -> usize) {
        let is_right = |name: &String| {
            let mut trail = value.trail(name.as_bytes()).expect("it is large");
            let steps: Vec<_> = std::iter::from_fn(|| trail.advance()).collect();
            steps.len() == Way::<()>::STEPS && steps.last() == Some(&(expected(name) as *const u8))
        };
        let right = names().filter(is_right).count();
        assert!(right > LEN * 3 / 4, "{right} of {LEN}");
    }

    #[test]
    fn ways_end_at_the_elements() {
        let thresholds = Thresholds::default();
        let (mut hash, mut set, mut sorted_set) = (Hash::default(), Set::default(), SortedSet::default());
        for (index, name) in names().enumerate() {
            hash.set(name.as_bytes(), b"value", FieldExpire::Clear, &thresholds);
            set.add(Element::Bytes(name.as_bytes()), &thresholds);
            sorted_set.set(name.as_bytes(), index as f64, &thresholds);
        }
        let hash = hash.as_ref();
        // Before the value are the field and one byte.
        let pair_of =
            |name: &str| hash.find(name.as_bytes(), 0).map(|found| address_of(found.value) - name.len() - 1);
        check(ValueRef::Hash(hash), |name| pair_of(name).expect("it was set"));

        let text = |element: Element<'_>| {
            String::from_utf8_lossy(element.as_bytes(&mut Default::default())).into_owned()
        };
        let members: BTreeMap<String, usize> =
            set.as_ref().iter().map(|member| (text(member), address_of(member))).collect();
        check(ValueRef::Set(set.as_ref()), |name| members[name]);

        let sorted_set = sorted_set.as_ref();
        // Before the member are its score and its length.
        let slots: BTreeMap<String, usize> = sorted_set
            .range(0..sorted_set.len())
            .map(|(member, _)| (text(member), address_of(member) - 9))
            .collect();
        check(ValueRef::SortedSet(sorted_set), |name| slots[name]);
    }

    #[test]
    fn nothing_is_on_the_way_to_what_is_not_there() {
        let thresholds = Thresholds::default();
        let set = Set::large(&thresholds);
        let mut trail = ValueRef::Set(set.as_ref()).trail(b"element").expect("it is large");
        assert!(trail.advance().is_some(), "the segment is there");
        assert_eq!(trail.advance(), None);
        assert!(ValueRef::Set(Set::default().as_ref()).trail(b"element").is_none());
    }
}
