use super::expiry::{self, FIELDS, Request};
use crate::keys::expiry::Form;
use tessera_command::prelude::*;

pub struct HTtl;

impl Read for HTtl {
    const SPEC: Spec = Spec {
        name: "httl",
        summary: "Answers how many seconds fields of a hash have to live.",
        since: "7.4.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        tips: &["nondeterministic_output"],
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
        expiry::answer(request, Form::SecondsLeft, db, reply)
    }
}
