use super::popping::End;
use crate::several::{Several, Take};
use tessera_command::prelude::*;

pub struct ZMPop;

/// The parsed words of ZMPOP.
pub struct ZMPopArgs<'a>(Several<'a, End>);

impl Gather for ZMPop {
    const SPEC: Spec = Spec {
        name: "zmpop",
        summary: "Removes members from an end of the first of several sorted sets that is there, and tells them.",
        since: "7.0.0",
        group: Group::SortedSet,
        complexity: "O(K)+O(M*log(N)) with K the keys, N the members there are and M those removed.",
        categories: Categories::SORTED_SET,
        keys: &[KeySpec::counted(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::ZPopMin, Event::ZPopMax, Event::Del],
        grammar: &[
            integer("numkeys"),
            key("key", 0).multiple(),
            one_of("where", &[token("min", "MIN"), token("max", "MAX")]),
            integer("count").after("COUNT").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = ZMPopArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<ZMPopArgs<'a>, Error> {
        Several::parse(words).map(ZMPopArgs)
    }

    fn needs<'a>(
        ZMPopArgs(several): &ZMPopArgs<'a>,
        _: Context,
        needs: &mut Vec<Need<'a>>,
    ) -> Result<(), Error> {
        needs.extend(several.keys().map(|key| Need { key, db: None, what: What::Type }));
        Ok(())
    }

    fn decide(
        ZMPopArgs(several): &ZMPopArgs<'_>,
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let first = found.iter().enumerate().find_map(|(index, found)| Some((index, found.value_type?)));
        match first {
            Some((index, Type::SortedSet)) => {
                changes.push(Change::Act { index, what: several.take().to_bytes(), act: take });
            }
            Some(_) => return Err(Error::WRONG_TYPE),
            None => reply.null_array(),
        }
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
