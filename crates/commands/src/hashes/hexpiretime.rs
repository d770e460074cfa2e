use super::expiry::{self, FIELDS, Request};
use crate::keys::expiry::Form;
use tessera_command::prelude::*;

pub struct HExpireTime;

impl Read for HExpireTime {
    const SPEC: Spec = Spec {
        name: "hexpiretime",
        summary: "Answers the Unix time in seconds at which fields of a hash expire.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        element: Some(4),
        grammar: &[key("key", 0), FIELDS],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        expiry::parse(words)
    }

    fn execute(request: &Request<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        expiry::answer(request, Form::UnixSeconds, db, reply)
    }
}
