use super::algebra;
use super::multiple::{self, StoreArgs};
use tessera_command::prelude::*;

pub struct SDiffStore;

impl Gather for SDiffStore {
    const SPEC: Spec = Spec {
        name: "sdiffstore",
        summary: "Keeps the members of a set that several others do not have as a set.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) in the members of all sets.",
        flags: Flags::DENY_OOM,
        categories: Categories::SET,
        keys: &[
            KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::SDiffStore, Event::Del, Event::New],
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
        let result = algebra::difference(&algebra::sets_of(sources)?, &context.settings.thresholds);
        multiple::store(result, Event::SDiffStore, destination, changes, reply);
        Ok(())
    }
}
