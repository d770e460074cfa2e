use super::expiry::{self, FIELDS, Request};
use tessera_command::prelude::*;

pub struct HPersist;

impl Write for HPersist {
    const SPEC: Spec = Spec {
        name: "hpersist",
        summary: "Takes the expiry of fields of a hash away.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::HPersist],
        element: Some(4),
        grammar: &[key("key", 0), FIELDS],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        expiry::parse(words)
    }

    fn execute(request: &Request<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        expiry::persist(request, db, reply)
    }
}
