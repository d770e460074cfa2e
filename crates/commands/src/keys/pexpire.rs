use super::expiry::{CONDITION, Request, Since, Unit};
use tessera_command::prelude::*;

pub struct PExpire;

impl Write for PExpire {
    const SPEC: Spec = Spec {
        name: "pexpire",
        summary: "Gives a key this many milliseconds to live.",
        since: "2.6.0",
        group: Group::Generic,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::Expire, Event::Del],
        grammar: &[key("key", 0), integer("milliseconds"), CONDITION],
        history: &[("7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`.")],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        Request::parse(words, Unit::Milliseconds, Since::Now)
    }

    fn execute(
        request: &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        request.execute(db, reply)
    }
}
