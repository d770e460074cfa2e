use super::answer;
use crate::scanning::{self, ScanRequest};
use tessera_command::prelude::*;
use tessera_resp::number::format_f64;
use tessera_values::{SortedSet, SortedSetRef, double};

pub struct ZScan;

impl Read for ZScan {
    const SPEC: Spec = Spec {
        name: "zscan",
        summary: "Walks over the members of a sorted set, some at a time.",
        since: "2.8.0",
        group: Group::SortedSet,
        complexity: "O(1) for each call, O(N) for a whole walk, with N the members there are.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[
            key("key", 0),
            integer("cursor"),
            pattern("pattern").after("MATCH").optional(),
            integer("count").after("COUNT").optional(),
        ],
        tips: &["nondeterministic_output"],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], ScanRequest<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, ScanRequest::parse(words)?))
    }

    fn execute((key, request): &Self::Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        let Some(set) = db.collection::<SortedSet>(key)? else {
            scanning::reply_nothing(reply);
            return Ok(());
        };
        let options = request.options()?;
        let is_flat = matches!(set, SortedSetRef::Listpack(_));
        let (mut found, mut len) = (Vec::new(), 0);
        let mut written = Reply::new(&mut found, reply.protocol());
        let next = set.scan(request.position, options.count, |member, score| {
            if options.matches(member.as_bytes(&mut Digits::new())) {
                answer::member(member, &mut written);
                // Redis shows what stands in a listpack, and the scores of large sets with 17 digits.
                let text = if is_flat { format_f64(score) } else { double::format_17_digits(score) };
                written.bulk(text.as_bytes());
                len += 2;
            }
        });
        reply.array(2);
        reply.bulk(next.unwrap_or(0).to_string().as_bytes());
        reply.array(len);
        reply.raw(&found);
        Ok(())
    }
}
