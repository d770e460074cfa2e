use super::get;
use tessera_command::prelude::*;

pub struct GetDel;

impl Write for GetDel {
    const SPEC: Spec = Spec {
        name: "getdel",
        summary: "Answers the string at a key and removes the key.",
        since: "6.2.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::FAST,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::DELETE))],
        events: &[Event::Del],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        get::answer_before(key, db, reply)?;
        if !db.delete(key) {
            return Ok(Effect::None);
        }
        db.record(&[b"DEL", key]);
        Ok(Effect::Rewritten)
    }
}
