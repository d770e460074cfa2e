//! ZRANGE and its kin.

use super::answer::Listing;
use super::selection::{Selection, Syntax};
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
    if selection.is_reversed {
        listing.all(elements.rev(), reply);
    } else {
        listing.all(elements, reply);
    }
    Ok(())
}
