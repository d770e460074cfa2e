use super::answer;
use crate::scanning::{self, ScanRequest};
use tessera_command::prelude::*;
use tessera_values::Set;

pub struct SScan;

impl Read for SScan {
    const SPEC: Spec = Spec {
        name: "sscan",
        summary: "Walks over the members of a set, some at each call.",
        since: "2.8.0",
        group: Group::Set,
        complexity: "O(COUNT) for a call, O(N) for a whole walk over N members.",
        tips: &["nondeterministic_output"],
        categories: Categories::SET,
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
        let Some(set) = db.collection::<Set>(key)? else {
            scanning::reply_nothing(reply);
            return Ok(());
        };
        let options = request.options()?;
        let (mut found, mut digits) = (Vec::new(), Digits::new());
        let next = set.scan(request.position, options.count, |member| {
            if options.matches(member.as_bytes(&mut digits)) {
                found.push(member);
            }
        });
        reply.array(2);
        // A position is never 0 again behind the start, which lets 0 stand for the end.
        reply.bulk(next.unwrap_or(0).to_string().as_bytes());
        reply.array(found.len());
        found.into_iter().for_each(|member| answer::member(member, reply));
        Ok(())
    }
}
