use super::expiration::{Clock, Expiration};
use super::set;
use tessera_command::prelude::*;

pub struct SetEx;

impl Write for SetEx {
    const SPEC: Spec = Spec {
        name: "setex",
        summary: "Sets a key to a string that expires after some seconds.",
        since: "2.0.0",
        group: Group::String,
        complexity: "O(1)",
        flags: Flags::DENY_OOM,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE))],
        events: &[Event::Set, Event::Expire, Event::New],
        grammar: &[key("key", 0), integer("seconds"), string("value")],
        deprecated: Some(("2.6.12", "`SET` with `EX`")),
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Expiration<'a>, &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let key = words.word()?;
        Ok((key, Expiration { clock: Clock::SecondsFromNow, word: words.word()? }, words.word()?))
    }

    fn execute(
        (key, expiration, value): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let at_ms = expiration.at_ms(db.now_ms())?;
        set::put_until(key, value, at_ms, db);
        reply.ok();
        Ok(Effect::Rewritten)
    }
}
