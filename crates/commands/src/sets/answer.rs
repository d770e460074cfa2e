//! Members in replies.

use tessera_command::prelude::*;
use tessera_values::SetRef;
use tessera_values::listpack::Element;

/// Writes one member.
pub(super) fn member(member: Element<'_>, reply: &mut Reply<'_>) {
    match member {
        Element::Bytes(bytes) => reply.bulk(bytes),
        Element::Integer(integer) => reply.bulk_integer(integer),
    }
}

/// Writes a whole set, which may be missing.
pub(super) fn members(set: Option<SetRef<'_>>, reply: &mut Reply<'_>) {
    reply.set(set.map_or(0, CollectionRef::len));
    for element in set.into_iter().flat_map(SetRef::iter) {
        member(element, reply);
    }
}
