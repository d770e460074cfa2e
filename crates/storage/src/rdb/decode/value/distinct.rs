//! Whether elements are there once.

use ahash::RandomState;
use hashbrown::HashTable;
use tessera_values::listpack::Element;

/// So many are compared each with each.
const FEW: usize = 16;

/// Whether no element is there twice. Takes linear time, whatever they are. Digits must be [`Element::Integer`].
pub(super) fn are_distinct<'e>(elements: impl Iterator<Item = Element<'e>>, seed: u64) -> bool {
    let mut elements = elements;
    let mut few: [Element<'e>; FEW] = [Element::Integer(0); FEW];
    let mut len = 0;
    while len < FEW {
        let Some(element) = elements.next() else { return true };
        if few[..len].contains(&element) {
            return false;
        }
        few[len] = element;
        len += 1;
    }
    let hasher = RandomState::with_seeds(seed, 0x6469, 0x7374, 0x696e);
    let hash_of = |element: &Element<'_>| match element {
        Element::Integer(integer) => hasher.hash_one(integer),
        Element::Bytes(bytes) => hasher.hash_one(bytes),
    };
    let mut all = HashTable::new();
    few.into_iter().chain(elements).all(|element| {
        let hash = hash_of(&element);
        let is_new = all.find(hash, |other| *other == element).is_none();
        all.insert_unique(hash, element, hash_of);
        is_new
    })
}
