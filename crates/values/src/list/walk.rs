//! Elements of a list one after the other, in either direction.

use super::End;
use super::nodes::{Nodes, Place};
use super::reading::{ListNodes, ListRef};
use crate::collection::CollectionRef;
use crate::listpack::{self, Element, Pack, Position};

/// The elements of one node that are left, from the front on.
#[derive(Clone, Debug)]
enum Here<'a> {
    Packed(listpack::Iter<'a>),
    Plain(Option<&'a [u8]>),
}

/// See [`ListRef::range`].
#[derive(Clone, Debug)]
pub struct Range<'a> {
    here: Here<'a>,
    /// The nodes, and which of them this is.
    rest: Option<(&'a Nodes, Place)>,
    /// How many elements are left.
    left: usize,
}

impl<'a> Range<'a> {
    pub(super) fn new(list: ListRef<'a>, start: usize, count: usize) -> Range<'a> {
        let left = count.min(list.len().saturating_sub(start));
        match list {
            ListRef::Listpack(listpack) => {
                let here = Here::Packed(listpack.iter_from(listpack.seek(start)));
                Range { here, rest: None, left }
            }
            ListRef::Nodes(ListNodes(quicklist)) => {
                let nodes = quicklist.nodes();
                let Some((place, offset)) = nodes.seek(start) else {
                    return Range { here: Here::Plain(None), rest: None, left: 0 };
                };
                let here = match nodes.get(place).listpack() {
                    Ok(listpack) => Here::Packed(listpack.iter_from(listpack.seek(offset))),
                    Err(plain) => Here::Plain(Some(plain)),
                };
                Range { here, rest: Some((nodes, place)), left }
            }
        }
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.left == 0 {
            return None;
        }
        loop {
            let next = match &mut self.here {
                Here::Packed(iter) => iter.next(),
                Here::Plain(plain) => plain.take().map(Element::new),
            };
            if next.is_some() {
                self.left -= 1;
                return next;
            }
            let (nodes, place) = self.rest?;
            let place = nodes.next(place)?;
            self.rest = Some((nodes, place));
            self.here = match nodes.get(place).listpack() {
                Ok(listpack) => Here::Packed(listpack.iter()),
                Err(plain) => Here::Plain(Some(plain)),
            };
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Range<'_> {}

/// The elements of one node that are left, from the back on.
#[derive(Clone, Debug)]
enum Before<'a> {
    Packed(&'a Pack, Option<Position>),
    Plain(Option<&'a [u8]>),
}

/// See [`ListRef::range_back`].
#[derive(Clone, Debug)]
pub struct RangeBack<'a> {
    here: Before<'a>,
    rest: Option<(&'a Nodes, Place)>,
    left: usize,
}

impl<'a> RangeBack<'a> {
    pub(super) fn new(list: ListRef<'a>, count: usize) -> RangeBack<'a> {
        let left = count.min(list.len());
        match list {
            ListRef::Listpack(listpack) => {
                RangeBack { here: Before::Packed(listpack, listpack.last()), rest: None, left }
            }
            ListRef::Nodes(ListNodes(quicklist)) => {
                let nodes = quicklist.nodes();
                match nodes.end(End::Back) {
                    Some(place) => {
                        RangeBack { here: Before::of(nodes, place), rest: Some((nodes, place)), left }
                    }
                    None => RangeBack { here: Before::Plain(None), rest: None, left: 0 },
                }
            }
        }
    }
}

impl<'a> Before<'a> {
    fn of(nodes: &'a Nodes, place: Place) -> Before<'a> {
        match nodes.get(place).listpack() {
            Ok(listpack) => Before::Packed(listpack, listpack.last()),
            Err(plain) => Before::Plain(Some(plain)),
        }
    }
}

impl<'a> Iterator for RangeBack<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        if self.left == 0 {
            return None;
        }
        loop {
            let next = match &mut self.here {
                Before::Packed(listpack, position) => position.map(|at| {
                    *position = listpack.previous(at);
                    listpack.get(at)
                }),
                Before::Plain(plain) => plain.take().map(Element::new),
            };
            if next.is_some() {
                self.left -= 1;
                return next;
            }
            let (nodes, place) = self.rest?;
            let place = nodes.previous(place)?;
            self.rest = Some((nodes, place));
            self.here = Before::of(nodes, place);
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for RangeBack<'_> {}
