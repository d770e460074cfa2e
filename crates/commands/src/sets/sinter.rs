use super::{algebra, answer, multiple};
use tessera_command::prelude::*;

pub struct SInter;

impl Gather for SInter {
    const SPEC: Spec = Spec {
        name: "sinter",
        summary: "Tells the members that all of several sets have.",
        since: "1.0.0",
        group: Group::Set,
        complexity: "O(N*M) with N the members of the smallest set and M the number of sets.",
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
        _: Context,
        found: &[Found<'_>],
        _: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let sets = algebra::sets_of(found)?;
        let opened = reply.open();
        let mut count = 0;
        algebra::intersect(&sets, |member| {
            answer::member(member, reply);
            count += 1;
            true
        });
        reply.close_set(opened, count);
        Ok(())
    }
}
