//! How elements of sorted sets stand in replies.

use tessera_command::prelude::*;
use tessera_values::listpack::Element;

/// Writes a member.
pub(super) fn member(member: Element<'_>, reply: &mut Reply<'_>) {
    match member {
        Element::Bytes(bytes) => reply.bulk(bytes),
        Element::Integer(value) => reply.bulk_integer(value),
    }
}

/// A list of members, perhaps with their scores: in RESP2 one after the other, in RESP3 in pairs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Listing {
    pub with_scores: bool,
}

impl Listing {
    /// Begins a list of `len` members.
    pub fn begin(self, len: usize, reply: &mut Reply<'_>) {
        let is_flat = self.with_scores && reply.protocol() == Protocol::Resp2;
        reply.array(if is_flat { 2 * len } else { len });
    }

    /// Writes an element.
    pub fn element(self, (name, score): (Element<'_>, f64), reply: &mut Reply<'_>) {
        if self.with_scores && reply.protocol() == Protocol::Resp3 {
            reply.array(2);
        }
        member(name, reply);
        if self.with_scores {
            reply.double(score);
        }
    }

    /// Writes a whole list.
    pub fn all<'m>(self, elements: impl ExactSizeIterator<Item = (Element<'m>, f64)>, reply: &mut Reply<'_>) {
        self.begin(elements.len(), reply);
        elements.for_each(|element| self.element(element, reply));
    }
}
