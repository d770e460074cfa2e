use crate::several::Several;
use crate::timeout::Timeout;
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct BlmPop;

pub struct BlmPopArgs<'a> {
    several: Several<'a, End>,
    timeout: Timeout,
}

impl Blocking for BlmPop {
    const SPEC: Spec = Spec {
        name: "blmpop",
        summary: "Takes elements from the first of several lists that has any, and waits until one has.",
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) with N the number of keys and M that of the elements taken.",
        categories: Categories::LIST,
        keys: &[KeySpec::counted(2, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::LPop, Event::RPop, Event::Del],
        grammar: &[
            double("timeout"),
            integer("numkeys"),
            key("key", 0).multiple(),
            one_of("where", super::ENDS),
            integer("count").after("COUNT").optional(),
        ],
        ..Spec::BASE
    };
    const WAITS_FOR: Type = Type::List;
    type Args<'a> = BlmPopArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<BlmPopArgs<'a>, Error> {
        let timeout = words.word()?;
        // What is wrong with the others is told first.
        let several = Several::parse(words)?;
        Ok(BlmPopArgs { several, timeout: Timeout::parse(timeout)? })
    }

    fn wait<'a>(args: &Self::Args<'a>) -> Wait<'a> {
        Wait { keys: args.several.keys().collect(), timeout_ms: args.timeout.ms(), target: None }
    }

    fn serve(
        args: &BlmPopArgs<'_>,
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
