//! As which type a value is written, and what that type consists of.

use super::Target;
use super::string::element_of;
use crate::rdb::opcodes::ValueType;
use tessera_values::hash::Fields;
use tessera_values::list::ListNodes;
use tessera_values::listpack::{Element, Pack};
use tessera_values::set::TableMembers;
use tessera_values::{HashRef, ListRef, SetRef, SortedSetRef, ValueRef};

/// What follows a value's type.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout<'a> {
    /// One string.
    String(Element<'a>),
    /// The earliest time of a field in Unix milliseconds, and one string.
    TimedListpack(i64, &'a Pack),
    /// The number of nodes, which is 1, and a node: its kind, and one string.
    OnlyNode(&'a Pack),
    /// The number of nodes, and each of them in the same way.
    Nodes(ListNodes<'a>),
    /// The number of members, and each of them.
    FlatMembers(&'a Pack),
    /// The same.
    Members(TableMembers<'a>),
    /// The number of fields, and each of them with its value, of a listpack with times, which are all 0.
    FlatFields(&'a Pack),
    /// The number of fields, and each of them with its value.
    Fields(Fields<'a>),
    /// The earliest time of a field in Unix milliseconds, the number of fields, and each of them behind its time and
    /// before its value. A time is written as what it is beyond the earliest, and 1; 0 stands for none.
    TimedFields(i64, Fields<'a>),
    /// The number of members, and each of them before its score, beginning with the last.
    Scores(SortedSetRef<'a>),
}

/// How `value` is written.
#[inline]
pub(super) fn layout(value: ValueRef<'_>, target: Target) -> (ValueType, Layout<'_>) {
    let flat = |listpack| Layout::String(Element::Bytes(Pack::as_bytes(listpack)));
    match value {
        ValueRef::String(string) => (ValueType::String, Layout::String(element_of(string))),
        ValueRef::List(list) => (
            ValueType::ListQuicklist2,
            match list {
                ListRef::Listpack(listpack) => Layout::OnlyNode(listpack),
                ListRef::Nodes(nodes) => Layout::Nodes(nodes),
            },
        ),
        ValueRef::Set(set) => match (set, target) {
            (SetRef::Integers(integers), _) => {
                (ValueType::SetIntset, Layout::String(Element::Bytes(integers.as_bytes())))
            }
            (SetRef::Listpack(listpack), Target::Redis70) => (ValueType::Set, Layout::FlatMembers(listpack)),
            (SetRef::Listpack(listpack), Target::Redis72) => (ValueType::SetListpack, flat(listpack)),
            (SetRef::Table(members), _) => (ValueType::Set, Layout::Members(members)),
        },
        ValueRef::SortedSet(sorted_set) => match sorted_set {
            SortedSetRef::Listpack(listpack) => (ValueType::SortedSetListpack, flat(listpack)),
            SortedSetRef::Ranked(_) => (ValueType::SortedSet2, Layout::Scores(sorted_set)),
        },
        ValueRef::Hash(hash) => match (hash, hash.next_field_expire_at_ms()) {
            (HashRef::Listpack(listpack), _) => (ValueType::HashListpack, flat(listpack)),
            // Redis before 7.4 knows no times: without any it need not see them.
            (HashRef::TimedListpack(listpack), None) => (ValueType::Hash, Layout::FlatFields(listpack)),
            (HashRef::TimedListpack(listpack), Some(first_ms)) => {
                (ValueType::HashListpackTimes, Layout::TimedListpack(first_ms, listpack))
            }
            (HashRef::Table(fields), None) => (ValueType::Hash, Layout::Fields(fields)),
            (HashRef::Table(fields), Some(first_ms)) => {
                (ValueType::HashMetadata, Layout::TimedFields(first_ms, fields))
            }
        },
    }
}
