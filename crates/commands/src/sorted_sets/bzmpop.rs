use super::popping::End;
use crate::several::Several;
use crate::timeout::Timeout;
use tessera_command::prelude::*;

pub struct BZMPop;

/// The parsed words of BZMPOP.
pub struct BZMPopArgs<'a> {
    several: Several<'a, End>,
    timeout: Timeout,
}

impl Blocking for BZMPop {
    const SPEC: Spec = Spec {
        name: "bzmpop",
        summary: "Removes members from an end of the first of several sorted sets that is there, and waits until one \
            is.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(K)+O(M*log(N)) with K the keys, N the members there are and M those removed.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::counted(2, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::ZPopMin, Event::ZPopMax, Event::Del],
        grammar: &[
            double("timeout"),
            integer("numkeys"),
            key("key", 0).multiple(),
            one_of("where", &[token("min", "MIN"), token("max", "MAX")]),
            integer("count").after("COUNT").optional(),
        ],
        ..Spec::BASE
    };
    const WAITS_FOR: Type = Type::SortedSet;
    type Args<'a> = BZMPopArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<BZMPopArgs<'a>, Error> {
        let timeout = words.word()?;
        // What is wrong with the others is told first.
        let several = Several::parse(words)?;
        Ok(BZMPopArgs { several, timeout: Timeout::parse(timeout)? })
    }

    fn wait<'a>(args: &Self::Args<'a>) -> Wait<'a> {
        Wait { keys: args.several.keys().collect(), timeout_ms: args.timeout.ms(), target: None }
    }

    fn serve(
        args: &BZMPopArgs<'_>,
        key: &[u8],
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Option<Effect>, Error> {
        args.several.take().take_from(key, db, reply)
    }

    fn give_up(reply: &mut Reply<'_>) {
        reply.null_array();
    }
}
