//! The members of a large set, in a hash table.

use crate::allocation::block_len_bytes;
use crate::listpack::Element;
use crate::table::{Cursor, HashTable, Way};
use ahash::RandomState;

/// One member. Integers need no memory of their own.
#[derive(Clone, Debug)]
pub(super) enum Member {
    Integer(i64),
    Bytes(Box<[u8]>),
}

const _: () = assert!(size_of::<Member>() == 16);

impl Member {
    fn new(element: Element<'_>) -> Member {
        match element {
            Element::Integer(integer) => Member::Integer(integer),
            Element::Bytes(bytes) => Member::Bytes(bytes.into()),
        }
    }

    pub(super) fn as_element(&self) -> Element<'_> {
        match self {
            Member::Integer(integer) => Element::Integer(*integer),
            Member::Bytes(bytes) => Element::Bytes(bytes),
        }
    }

    /// Where its bytes are, if it is no integer.
    #[inline]
    pub(super) fn address(&self) -> Option<*const u8> {
        match self {
            Member::Integer(_) => None,
            Member::Bytes(bytes) => Some(bytes.as_ptr()),
        }
    }

    fn allocated_bytes(&self) -> usize {
        match self {
            Member::Integer(_) => 0,
            Member::Bytes(bytes) => block_len_bytes(bytes.len()),
        }
    }
}

/// Members by their hashes.
#[derive(Clone, Debug)]
pub(super) struct Members {
    table: HashTable<Member>,
    hasher: RandomState,
    /// What members own, in bytes.
    members_bytes: usize,
}

fn hash(hasher: &RandomState, element: Element<'_>) -> u64 {
    match element {
        Element::Integer(integer) => hasher.hash_one(integer),
        Element::Bytes(bytes) => hasher.hash_one(bytes),
    }
}

impl Members {
    pub(super) fn new(seed: u64) -> Members {
        Members {
            table: HashTable::new(seed),
            hasher: RandomState::with_seeds(seed, 0x6d65, 0x6d62, 0x7273),
            members_bytes: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    pub(super) fn allocated_bytes(&self) -> usize {
        self.allocated_without_members() + self.members_bytes
    }

    /// The same without what members own.
    pub(super) fn allocated_without_members(&self) -> usize {
        block_len_bytes(size_of::<Members>()) + self.table.allocated_bytes()
    }

    /// The way to a member.
    #[inline]
    pub(super) fn way(&self, element: Element<'_>) -> Way<'_, Member> {
        self.table.way(hash(&self.hasher, element))
    }

    pub(super) fn contains(&self, element: Element<'_>) -> bool {
        self.table.find(hash(&self.hasher, element), |member| member.as_element() == element).is_some()
    }

    /// False if it is there already.
    pub(super) fn insert(&mut self, element: Element<'_>) -> bool {
        let Members { table, hasher, members_bytes } = self;
        let hash_of = |member: &Member| hash(hasher, member.as_element());
        let hash = hash(hasher, element);
        if table.find(hash, |member| member.as_element() == element).is_some() {
            return false;
        }
        let member = Member::new(element);
        *members_bytes += member.allocated_bytes();
        table.insert(hash, member, hash_of);
        true
    }

    pub(super) fn remove(&mut self, element: Element<'_>) -> Option<Member> {
        self.remove_if(hash(&self.hasher, element), |member| member.as_element() == element)
    }

    fn remove_if(&mut self, hash_of_it: u64, is_it: impl FnMut(&Member) -> bool) -> Option<Member> {
        let Members { table, hasher, members_bytes } = self;
        let removed = table.remove(hash_of_it, is_it, |member| hash(hasher, member.as_element()))?;
        *members_bytes -= removed.allocated_bytes();
        Some(removed)
    }

    pub(super) fn random(&self, random: &mut fastrand::Rng) -> Option<&Member> {
        self.table.random(random)
    }

    /// Takes a random member, each with the same chance.
    pub(super) fn pop(&mut self, random: &mut fastrand::Rng) -> Option<Member> {
        let member = self.table.random(random)?;
        let place = std::ptr::from_ref(member);
        self.remove_if(hash(&self.hasher, member.as_element()), |other| std::ptr::eq(other, place))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Member> {
        self.table.iter()
    }

    /// See [`HashTable::walk`].
    pub(super) fn walk(&self, cursor: Cursor) -> Option<(&Member, Cursor)> {
        self.table.walk(cursor)
    }

    /// See [`HashTable::scan`].
    pub(super) fn scan<'t>(
        &'t self,
        position: u64,
        count: usize,
        mut visit: impl FnMut(Element<'t>),
    ) -> Option<u64> {
        let hash_of = |member: &Member| hash(&self.hasher, member.as_element());
        self.table.scan(position, count, hash_of, |member| visit(member.as_element()))
    }

    /// Frees some; false if there is nothing left.
    pub(super) fn free_some(&mut self) -> bool {
        let Some(members) = self.table.take_some() else { return false };
        self.members_bytes -= members.map(|member| member.allocated_bytes()).sum::<usize>();
        true
    }
}
