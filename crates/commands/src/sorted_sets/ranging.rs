//! ZRANGE and its kin.

use super::answer::Listing;
use super::selection::{Selection, Syntax};
use std::ops::Range;
use tessera_command::prelude::*;
use tessera_values::SortedSet;

/// The key, and what is selected.
pub(super) type RangeArgs<'a> = (&'a [u8], Selection<'a>);

/// Reads the key and what is to be selected.
pub(super) fn parse<'a>(words: &mut Words<'a>, syntax: Syntax) -> Result<RangeArgs<'a>, Error> {
    Ok((words.word()?, Selection::parse(words, syntax)?))
}

/// Answers the elements that are selected.
pub(super) fn execute(
    (key, selection): &RangeArgs<'_>,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    let listing = Listing { with_scores: selection.with_scores };
    let Some(set) = db.collection::<SortedSet>(key)? else {
        reply.array(0);
        return Ok(());
    };
    let elements = set.range(selection.ranks(set));
    if reply.may_stream() && is_long(set, elements.len()) {
        return Err(Error::LongReply);
    }
    if selection.is_reversed {
        listing.all(elements.rev(), reply);
    } else {
        listing.all(elements, reply);
    }
    Ok(())
}

/// Begins to answer them, where they are many.
pub(super) fn stream<'a>(
    (key, selection): &RangeArgs<'a>,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Option<(&'a [u8], Box<dyn Stream>)> {
    // That it was looked up has been counted.
    let set = SortedSet::of_ref(db.peek(key)?.value())?;
    let (ranks, listing) = (selection.ranks(set), Listing { with_scores: selection.with_scores });
    listing.begin(ranks.len(), reply);
    let is_reversed = selection.is_reversed;
    Some((key, Box::new(LongRange { ranks, is_reversed, listing, protocol: reply.protocol() })))
}

/// What is left of a long reply.
#[derive(Debug)]
struct LongRange {
    ranks: Range<usize>,
    is_reversed: bool,
    listing: Listing,
    protocol: Protocol,
}

impl Stream for LongRange {
    fn write_some(&mut self, value: ValueRef<'_>, len_bytes: usize, out: &mut Vec<u8>) -> bool {
        let Some(set) = SortedSet::of_ref(value) else { return false };
        let end = out.len().saturating_add(len_bytes);
        let mut elements = set.range(self.ranks.clone());
        let mut reply = Reply::new(out, self.protocol);
        while reply.position() < end {
            let element = if self.is_reversed { elements.next_back() } else { elements.next() };
            let Some(element) = element else { break };
            self.listing.element(element, &mut reply);
        }
        let left = elements.len();
        if self.is_reversed {
            self.ranks.end = self.ranks.start + left;
        } else {
            self.ranks.start = self.ranks.end - left;
        }
        left > 0
    }

    fn left_len(&self) -> usize {
        self.ranks.len()
    }
}
