use super::algebra;
use super::multiple::{self, StoreArgs};
use tessera_command::prelude::*;

pub struct SInterStore;

impl Gather for SInterStore {
    const SPEC: Spec = Spec {
        name: "sinterstore",
        summary: "Keeps the members that all of several sets have as a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N*M) with N the members of the smallest set and M the number of sets.",
        flags: Flags::DENY_OOM,
        categories: Categories::SET,
        keys: &[
            KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::SInterStore, Event::Del, Event::New],
        grammar: &[key("destination", 0), key("key", 1).multiple()],
        ..Spec::BASE
    };
    type Args<'a> = StoreArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<StoreArgs<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn needs<'a>(args: &StoreArgs<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        multiple::need_values_to_store(args, needs);
        Ok(())
    }

    fn decide(
        _: &StoreArgs<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let [destination, sources @ ..] = found else { return Err(Error::SYNTAX) };
        let result = algebra::intersection(&algebra::sets_of(sources)?, &context.settings.thresholds);
        multiple::store(result, Event::SInterStore, destination, changes, reply);
        Ok(())
    }
}
