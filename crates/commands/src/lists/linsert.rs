use super::form_setting;
use tessera_command::prelude::*;
use tessera_values::List;
use tessera_values::list::End;

pub struct LInsert;

/// The parsed words of LINSERT.
pub struct LInsertArgs<'a> {
    key: &'a [u8],
    side: End,
    pivot: &'a [u8],
    element: &'a [u8],
}

const SIDES: &[Arg] = &[token("before", "BEFORE"), token("after", "AFTER")];

impl Write for LInsert {
    const SPEC: Spec = Spec {
        name: "linsert",
        summary: "Adds an element before or behind the first one that is equal to another.",
        since: "2.2.0",
        group: Group::List,
        complexity: "O(N) with N the number of elements up to that one.",
        flags: Flags::DENY_OOM,
        categories: Categories::LIST,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::INSERT))],
        events: &[Event::LInsert],
        grammar: &[key("key", 0), one_of("where", SIDES), string("pivot"), string("element")],
        ..Spec::BASE
    };
    type Args<'a> = LInsertArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<LInsertArgs<'a>, Error> {
        let key = words.word()?;
        let side = if words.take("AFTER") {
            End::Back
        } else if words.take("BEFORE") {
            End::Front
        } else {
            return Err(Error::SYNTAX);
        };
        Ok(LInsertArgs { key, side, pivot: words.word()?, element: words.word()? })
    }

    fn execute(args: &LInsertArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let setting = form_setting(db.settings());
        let len = db.change(args.key, Event::LInsert, |list: &mut List| {
            let is_inserted = list.insert(args.side, args.pivot, args.element, setting);
            (is_inserted.then(|| list.len()), is_inserted)
        })?;
        reply.integer(match len {
            None => 0,
            Some(None) => -1,
            Some(Some(len)) => len as i64,
        });
        Ok(if len.flatten().is_some() { Effect::Verbatim } else { Effect::None })
    }
}
