use super::check_type;
use crate::several::{Several, Take};
use tessera_command::prelude::*;
use tessera_values::list::End;

pub struct LmPop;

pub struct LmPopArgs<'a>(Several<'a, End>);

impl Gather for LmPop {
    const SPEC: Spec = Spec {
        name: "lmpop",
        summary: "Takes elements from the first of several lists that has any, and answers them.",
        since: "7.0.0",
        group: Group::List,
        complexity: "O(N+M) with N the number of keys and M that of the elements taken.",
        categories: Categories::LIST,
        keys: &[KeySpec::counted(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::LPop, Event::RPop, Event::Del],
        grammar: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            one_of("where", super::ENDS),
            integer("count").after("COUNT").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = LmPopArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<LmPopArgs<'a>, Error> {
        Several::parse(words).map(LmPopArgs)
    }

    fn needs<'a>(
        LmPopArgs(several): &LmPopArgs<'a>,
        _: Context,
        needs: &mut Vec<Need<'a>>,
    ) -> Result<(), Error> {
        needs.extend(several.keys().map(|key| Need { key, db: None, what: What::Type }));
        Ok(())
    }

    fn decide(
        LmPopArgs(several): &LmPopArgs<'_>,
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        for (index, found) in found.iter().enumerate() {
            if check_type(found)? {
                let what = several.take().to_bytes();
                changes.push(Change::Act { index, what, act: take });
                return Ok(());
            }
        }
        reply.null_array();
        Ok(())
    }
}

fn take(
    db: &mut ViewMut<'_>,
    key: &[u8],
    what: &[u8],
    reply: &mut Reply<'_>,
) -> Result<Option<Effect>, Error> {
    Take::<End>::from_bytes(what).take_from(key, db, reply)
}
