use super::expiry::{CONDITION, Request, Since, Unit};
use tessera_command::prelude::{
    Categories, Effect, Error, Event, Flags, Group, KeyFlags, KeySpec, Reply, Spec, ViewMut, Words, Write,
    integer, key,
};

pub struct Expire;

impl Write for Expire {
    const SPEC: Spec = Spec {
        name: "expire",
        summary: "Gives a key this many seconds to live.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::Expire, Event::Del],
        grammar: &[key("key", 0), integer("seconds"), CONDITION],
        history: &[("7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`.")],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        Request::parse(words, Unit::Seconds, Since::Now)
    }

    fn execute(
        request: &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        request.execute(db, reply)
    }
}
