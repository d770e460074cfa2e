use super::expiry::{CONDITION, Request, Since, Unit};
use tessera_command::prelude::*;

pub struct PExpireAt;

impl Write for PExpireAt {
    const SPEC: Spec = Spec {
        name: "pexpireat",
        summary: "Lets a key live until a Unix time in milliseconds.",
        since: "2.6.0",
        group: Group::Generic,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::Expire, Event::Del],
        grammar: &[key("key", 0), unix_time("unix-time-milliseconds"), CONDITION],
        history: &[("7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`.")],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        Request::parse(words, Unit::Milliseconds, Since::Epoch)
    }

    fn execute(
        request: &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        request.execute(db, reply)
    }
}
