use super::{algebra, answer, multiple};
use tessera_command::prelude::*;

pub struct SDiff;

impl Gather for SDiff {
    const SPEC: Spec = Spec {
        name: "sdiff",
        summary: "Tells the members of a set that several others do not have.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N) in the members of all sets.",
        categories: Categories::SET,
        tips: &["nondeterministic_output_order"],
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0).multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn needs<'a>(keys: &Args<'a>, _: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        multiple::need_values(keys.iter(), needs);
        Ok(())
    }

    fn decide(
        _: &Args<'_>,
        context: Context,
        found: &[Found<'_>],
        _: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let result = algebra::difference(&algebra::sets_of(found)?, &context.settings.thresholds);
        answer::members(Some(result.as_ref()), reply);
        Ok(())
    }
}
