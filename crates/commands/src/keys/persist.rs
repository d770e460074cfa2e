use tessera_command::prelude::*;

pub struct Persist;

impl Write for Persist {
    const SPEC: Spec = Spec {
        name: "persist",
        summary: "Takes a key's expiry away.",
        since: "2.2.0",
        group: Group::Generic,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::Persist],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };

    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &Self::Args<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let volatile = db.look_to_write(key, |entry| entry.expire_at_ms().is_some()) == Some(true);
        if volatile {
            db.set_expire(key, None);
        }
        reply.integer(i64::from(volatile));
        Ok(if volatile { Effect::Verbatim } else { Effect::None })
    }
}
