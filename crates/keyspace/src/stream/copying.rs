//! Copying a large value a piece at a time.

use tessera_values::hash::FieldExpire;
use tessera_values::list::{ListBuilder, NodePlace};
use tessera_values::listpack::{Element, Pack};
use tessera_values::string::make_room;
use tessera_values::table::Cursor;
use tessera_values::{
    Digits, Hash, HashRef, ListRef, Set, SetRef, SortedSet, SortedSetRef, StringRef, StringValue, Thresholds,
    Value, ValueRef,
};

/// An element counts as so many bytes more than it has: small ones take time, too.
const ELEMENT_BYTES: usize = 64;

/// A copy that is being made, and where in the original it has got to. The original must not change meanwhile.
#[derive(Debug)]
pub(super) enum Copying {
    List { copy: ListBuilder, next: Option<NodePlace> },
    Hash { copy: Hash, next: Option<Cursor>, thresholds: Thresholds },
    Set { copy: Set, next: Option<Cursor>, thresholds: Thresholds },
    SortedSet { copy: SortedSet, next: Option<usize>, thresholds: Thresholds },
    String { copy: Vec<u8>, left_len_bytes: usize },
}

impl Copying {
    /// Begins to copy a value, if it is one that can be copied in pieces: of many pieces itself.
    pub(super) fn begin(value: ValueRef<'_>, thresholds: Thresholds) -> Option<Copying> {
        Some(match value {
            ValueRef::List(ListRef::Nodes(nodes)) => {
                Copying::List { copy: ListBuilder::new(nodes.setting()), next: nodes.first() }
            }
            ValueRef::Hash(HashRef::Table(_)) => {
                let mut copy = Hash::default();
                copy.enlarge(&thresholds);
                Copying::Hash { copy, next: Some(Cursor::default()), thresholds }
            }
            ValueRef::Set(SetRef::Table(_)) => {
                Copying::Set { copy: Set::large(&thresholds), next: Some(Cursor::default()), thresholds }
            }
            ValueRef::SortedSet(SortedSetRef::Ranked(_)) => {
                let mut copy = SortedSet::default();
                copy.enlarge(&thresholds);
                Copying::SortedSet { copy, next: Some(0), thresholds }
            }
            ValueRef::String(StringRef::Fixed(bytes) | StringRef::Growing(bytes)) => {
                // It is copied because it is to change: it should not have to be copied again because it grows.
                let mut copy = Vec::new();
                make_room(&mut copy, bytes.len());
                Copying::String { copy, left_len_bytes: bytes.len() }
            }
            _ => return None,
        })
    }

    /// All is copied.
    pub(super) fn is_done(&self) -> bool {
        match self {
            Copying::List { next, .. } => next.is_none(),
            Copying::Hash { next, .. } | Copying::Set { next, .. } => next.is_none(),
            Copying::SortedSet { next, .. } => next.is_none(),
            Copying::String { left_len_bytes, .. } => *left_len_bytes == 0,
        }
    }

    /// Copies about `len_bytes` more of the original, which is `value`.
    pub(super) fn copy_some(&mut self, value: ValueRef<'_>, len_bytes: usize) {
        let mut left_bytes = len_bytes;
        let mut count = |element_bytes: usize| {
            left_bytes = left_bytes.saturating_sub(element_bytes + ELEMENT_BYTES);
            left_bytes > 0
        };
        match (self, value) {
            (Copying::List { copy, next }, ValueRef::List(ListRef::Nodes(nodes))) => {
                while let Some(place) = *next {
                    *next = nodes.next(place);
                    if !count(push_node(copy, nodes.get(place))) {
                        return;
                    }
                }
            }
            (Copying::Hash { copy, next, thresholds }, ValueRef::Hash(HashRef::Table(fields))) => {
                while let Some(cursor) = *next {
                    let found = fields.walk(cursor);
                    *next = found.map(|(_, cursor)| cursor);
                    let Some((field, _)) = found else { return };
                    let expire = field.expire_at_ms.map_or(FieldExpire::Clear, FieldExpire::AtMs);
                    copy.set(field.name, field.value, expire, thresholds);
                    if !count(field.name.len() + field.value.len()) {
                        return;
                    }
                }
            }
            (Copying::Set { copy, next, thresholds }, ValueRef::Set(SetRef::Table(members))) => {
                while let Some(cursor) = *next {
                    let found = members.walk(cursor);
                    *next = found.map(|(_, cursor)| cursor);
                    let Some((member, _)) = found else { return };
                    copy.add(member, thresholds);
                    if !count(len_bytes_of(member)) {
                        return;
                    }
                }
            }
            (Copying::SortedSet { copy, next, thresholds }, ValueRef::SortedSet(set)) => {
                let Some(rank) = *next else { return };
                let (mut at, mut digits) = (rank, Digits::new());
                for (member, score) in set.range(rank..usize::MAX) {
                    at += 1;
                    copy.set(member.as_bytes(&mut digits), score, thresholds);
                    if !count(len_bytes_of(member)) {
                        *next = Some(at);
                        return;
                    }
                }
                *next = None;
            }
            (Copying::String { copy, left_len_bytes }, ValueRef::String(string)) => {
                let mut digits = Digits::new();
                let bytes = string.as_bytes(&mut digits);
                let end = bytes.len().min(copy.len().saturating_add(len_bytes.max(1)));
                if let Some(piece) = bytes.get(copy.len()..end) {
                    copy.extend_from_slice(piece);
                }
                *left_len_bytes = bytes.len() - end;
            }
            // Whoever changes the value sees to it that its copying ends.
            _ => debug_assert!(false, "the original is another value now"),
        }
    }

    /// The copy, as far as it got.
    pub(super) fn finish(self) -> Value {
        match self {
            Copying::List { copy, .. } => copy.finish_quick().into(),
            Copying::Hash { copy, .. } => copy.into(),
            Copying::Set { copy, .. } => copy.into(),
            Copying::SortedSet { copy, .. } => copy.into(),
            Copying::String { copy, .. } => StringValue::raw(copy).into(),
        }
    }
}

/// Copies a node of a list, which is a listpack or a single large element. How many bytes that were.
fn push_node(copy: &mut ListBuilder, node: Result<&Pack, &[u8]>) -> usize {
    match node {
        Ok(pack) => {
            copy.push_listpack(pack.to_listpack());
            pack.as_bytes().len()
        }
        Err(plain) => {
            copy.push_plain(plain.into());
            plain.len()
        }
    }
}

fn len_bytes_of(element: Element<'_>) -> usize {
    match element {
        Element::Bytes(bytes) => bytes.len(),
        Element::Integer(_) => size_of::<i64>(),
    }
}
