use super::expiry::{self, CONDITION, FIELDS, Request};
use crate::keys::expiry::{Since, Unit};
use tessera_command::prelude::*;

pub struct HExpireAt;

impl Write for HExpireAt {
    const SPEC: Spec = Spec {
        name: "hexpireat",
        summary: "Has fields of a hash expire at a Unix time in seconds.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::HExpire, Event::HDel, Event::Del],
        grammar: &[key("key", 0), unix_time("unix-time-seconds"), CONDITION, FIELDS],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        expiry::parse(words)
    }

    fn execute(request: &Request<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        expiry::expire(request, Unit::Seconds, Since::Epoch, db, reply)
    }
}
