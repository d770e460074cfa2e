//! Values, whole or a piece at a time.

use super::layout::{Layout, layout};
use super::string::{put_element_some, put_len, put_string_some};
use super::{Format, Target};
use crate::rdb::opcodes::{NODE_PACKED, NODE_PLAIN, ValueType};
use tessera_values::hash::Fields;
use tessera_values::list::{ListNodes, NodePlace};
use tessera_values::listpack::{Element, Pack, Position};
use tessera_values::set::TableMembers;
use tessera_values::table::Cursor;
use tessera_values::{CollectionRef, SortedSetRef, ValueRef};

/// Elements of a listpack with times for each field.
const TIMED_STRIDE: usize = 3;

/// As which type a value is written.
#[inline]
pub(super) fn value_type(value: ValueRef<'_>, target: Target) -> ValueType {
    layout(value, target).0
}

/// Where the walk over a value is. Each place is found again in constant time; that in a sorted set by its rank.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// At the only thing that there is.
    Only,
    /// At a node of a list; `None` behind the last.
    Node(Option<NodePlace>),
    /// At an element of a listpack; `None` behind the last.
    Flat(Option<Position>),
    /// At an element of a hash table.
    Table(Cursor),
    /// At an element of a sorted set: so many are left.
    Left(usize),
}

/// The walk over a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Walk {
    place: Place,
    /// The name of the row at that place is written, its value is not.
    is_within_row: bool,
    /// So many bytes of the string that comes next are written.
    done: usize,
    /// By so many bytes compression has made this piece shorter. It took its time for them.
    saved: usize,
    format: Format,
}

impl Walk {
    /// Writes what comes before the elements, and begins the walk over them.
    #[inline]
    pub fn begin(out: &mut Vec<u8>, value: ValueRef<'_>, format: Format) -> Walk {
        let place = match layout(value, format.target).1 {
            Layout::String(_) => Place::Only,
            Layout::TimedListpack(first_ms, _) => {
                out.extend_from_slice(&first_ms.to_le_bytes());
                Place::Only
            }
            Layout::OnlyNode(_) => {
                put_len(out, 1);
                put_len(out, NODE_PACKED);
                Place::Only
            }
            Layout::Nodes(nodes) => {
                put_len(out, nodes.len() as u64);
                Place::Node(nodes.first())
            }
            Layout::FlatMembers(listpack) => {
                put_len(out, listpack.len() as u64);
                Place::Flat(listpack.first())
            }
            Layout::FlatFields(listpack) => {
                put_len(out, (listpack.len() / TIMED_STRIDE) as u64);
                Place::Flat(listpack.first())
            }
            Layout::Members(members) => {
                put_len(out, members.len() as u64);
                Place::Table(Cursor::default())
            }
            Layout::Fields(fields) => {
                put_len(out, fields.len() as u64);
                Place::Table(Cursor::default())
            }
            Layout::TimedFields(first_ms, fields) => {
                out.extend_from_slice(&first_ms.to_le_bytes());
                put_len(out, fields.len() as u64);
                Place::Table(Cursor::default())
            }
            Layout::Scores(sorted_set) => {
                put_len(out, sorted_set.len() as u64);
                Place::Left(sorted_set.len())
            }
        };
        Walk { place, is_within_row: false, done: 0, saved: 0, format }
    }

    /// Writes elements until `out` is `end` bytes long, or would be without compression. False if that was the last.
    #[inline]
    pub fn write_some(&mut self, value: ValueRef<'_>, out: &mut Vec<u8>, end: usize) -> bool {
        self.saved = 0;
        let is_last = match layout(value, self.format.target).1 {
            Layout::String(element) => put_element_some(out, element, &mut self.done, end, self.format),
            Layout::TimedListpack(_, listpack) | Layout::OnlyNode(listpack) => {
                put_string_some(out, listpack.as_bytes(), &mut self.done, end, self.format)
            }
            Layout::Nodes(nodes) => self.put_nodes(nodes, out, end),
            Layout::FlatMembers(listpack) => self.put_flat_members(listpack, out, end),
            Layout::FlatFields(listpack) => self.put_flat_fields(listpack, out, end),
            Layout::Members(members) => self.put_members(members, out, end),
            Layout::Fields(fields) => self.put_fields(None, fields, out, end),
            Layout::TimedFields(first_ms, fields) => self.put_fields(Some(first_ms), fields, out, end),
            Layout::Scores(sorted_set) => self.put_scores(sorted_set, out, end),
        };
        !is_last
    }

    /// Writes nodes of a list. True if that was the last, as for all that follow.
    fn put_nodes(&mut self, nodes: ListNodes<'_>, out: &mut Vec<u8>, end: usize) -> bool {
        let Place::Node(mut next) = self.place else { return true };
        while let Some(place) = next {
            if out.len() + self.saved >= end {
                self.place = Place::Node(next);
                return false;
            }
            let (kind, bytes) = match nodes.get(place) {
                Ok(listpack) => (NODE_PACKED, listpack.as_bytes()),
                Err(plain) => (NODE_PLAIN, plain),
            };
            if self.done == 0 {
                put_len(out, kind);
            }
            let before_len = out.len();
            if !put_string_some(out, bytes, &mut self.done, end, self.format) {
                self.place = Place::Node(next);
                return false;
            }
            if self.format.compresses(bytes.len()) {
                self.saved += bytes.len().saturating_sub(out.len() - before_len);
            }
            next = nodes.next(place);
        }
        true
    }

    fn put_flat_members(&mut self, listpack: &Pack, out: &mut Vec<u8>, end: usize) -> bool {
        let Place::Flat(next) = self.place else { return true };
        let mut elements = listpack.iter_from(next);
        while let Some(position) = elements.position() {
            if out.len() + self.saved >= end {
                self.place = Place::Flat(Some(position));
                return false;
            }
            let Some(element) = elements.next() else { break };
            if !self.put_row(element, None, out, end) {
                self.place = Place::Flat(Some(position));
                return false;
            }
        }
        true
    }

    fn put_flat_fields(&mut self, listpack: &Pack, out: &mut Vec<u8>, end: usize) -> bool {
        let Place::Flat(next) = self.place else { return true };
        let mut elements = listpack.iter_from(next);
        while let Some(position) = elements.position() {
            let row = (elements.next(), elements.next(), elements.next());
            let (Some(name), Some(value), Some(_)) = row else { break };
            if out.len() + self.saved >= end || !self.put_row(name, Some(value), out, end) {
                self.place = Place::Flat(Some(position));
                return false;
            }
        }
        true
    }

    /// Writes two strings of a row, or one. False if not all was written: then they are to be given again.
    #[inline]
    fn put_row(
        &mut self,
        name: Element<'_>,
        value: Option<Element<'_>>,
        out: &mut Vec<u8>,
        end: usize,
    ) -> bool {
        if !self.is_within_row {
            if !self.put_element(name, out, end) {
                return false;
            }
            self.is_within_row = true;
        }
        let is_whole = value.is_none_or(|value| self.put_element(value, out, end));
        self.is_within_row = !is_whole;
        is_whole
    }

    #[inline]
    fn put_element(&mut self, element: Element<'_>, out: &mut Vec<u8>, end: usize) -> bool {
        let before_len = out.len();
        let is_whole = put_element_some(out, element, &mut self.done, end, self.format);
        if let Element::Bytes(bytes) = element
            && self.format.compresses(bytes.len())
        {
            self.saved += bytes.len().saturating_sub(out.len() - before_len);
        }
        is_whole
    }

    fn put_members(&mut self, members: TableMembers<'_>, out: &mut Vec<u8>, end: usize) -> bool {
        let Place::Table(mut cursor) = self.place else { return true };
        while let Some((member, next)) = members.walk(cursor) {
            if out.len() + self.saved >= end || !self.put_row(member, None, out, end) {
                self.place = Place::Table(cursor);
                return false;
            }
            cursor = next;
        }
        true
    }

    fn put_fields(
        &mut self,
        first_ms: Option<i64>,
        fields: Fields<'_>,
        out: &mut Vec<u8>,
        end: usize,
    ) -> bool {
        let Place::Table(mut cursor) = self.place else { return true };
        while let Some((field, next)) = fields.walk(cursor) {
            if out.len() + self.saved >= end {
                self.place = Place::Table(cursor);
                return false;
            }
            if let Some(first_ms) = first_ms
                && !self.is_within_row
                && self.done == 0
            {
                let beyond = |at_ms: i64| (at_ms.wrapping_sub(first_ms) as u64).saturating_add(1);
                put_len(out, field.expire_at_ms.map_or(0, beyond));
            }
            if !self.put_row(Element::Bytes(field.name), Some(Element::Bytes(field.value)), out, end) {
                self.place = Place::Table(cursor);
                return false;
            }
            cursor = next;
        }
        true
    }

    fn put_scores(&mut self, sorted_set: SortedSetRef<'_>, out: &mut Vec<u8>, end: usize) -> bool {
        let Place::Left(mut left) = self.place else { return true };
        for (member, score) in sorted_set.range(0..left).rev() {
            if out.len() + self.saved >= end || !self.put_row(member, None, out, end) {
                self.place = Place::Left(left);
                return false;
            }
            out.extend_from_slice(&score.to_le_bytes());
            left -= 1;
        }
        true
    }
}
