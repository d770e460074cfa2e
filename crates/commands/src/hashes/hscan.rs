use super::access::bulk;
use crate::scanning::{self, ScanRequest};
use tessera_command::prelude::*;
use tessera_values::Hash;

pub struct HScan;

impl Read for HScan {
    const SPEC: Spec = Spec {
        name: "hscan",
        summary: "Walks over the fields of a hash, some at each call, and leaves out their values after `NOVALUES`.",
        since: "2.8.0",
        group: Group::Hash,
        complexity: "O(COUNT) for a call, O(N) for a whole walk over N fields.",
        categories: Categories::HASH,
        tips: &["nondeterministic_output"],
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], ScanRequest<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, ScanRequest::parse(words)?))
    }

    fn execute((key, request): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let Some(hash) = db.collection::<Hash>(key)? else {
            scanning::reply_nothing(reply);
            return Ok(());
        };
        let options = request.options_of_hash()?;
        let (mut out, mut len) = (Vec::new(), 0);
        let mut elements = Reply::new(&mut out, reply.protocol());
        let mut digits = Digits::new();
        let next = hash.scan(request.position, options.count, db.now_ms(), |field, value| {
            if options.matches(field.as_bytes(&mut digits)) {
                bulk(&mut elements, field);
                if !options.no_values {
                    bulk(&mut elements, value);
                }
                len += if options.no_values { 1 } else { 2 };
            }
        });
        reply.array(2);
        // A position is never 0 again behind the start, which lets 0 stand for the end.
        reply.bulk(next.unwrap_or(0).to_string().as_bytes());
        reply.array(len);
        reply.raw(&out);
        Ok(())
    }
}
