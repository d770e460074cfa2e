use super::database;
use tessera_command::prelude::*;
use tessera_keyspace::KeyMove;

pub struct Move;

impl Write for Move {
    const SPEC: Spec = Spec {
        name: "move",
        summary: "Moves a key to another database, if that has no such key.",
        since: "1.0.0",
        group: Group::Generic,
        complexity: "O(1)",
        flags: Flags::FAST,
        categories: Categories::KEYSPACE,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::MoveFrom, Event::MoveTo, Event::New],
        grammar: &[key("key", 0), integer("db")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], i32);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, database::number(words.word()?)?))
    }

    fn execute(
        (key, db_number): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let to = database::existing(*db_number, db.read().shard().databases_len())?;
        if to == db.db() {
            return Err(super::SAME_OBJECT);
        }
        let possible = db.has_to_write(key) && !db.other(to).has_to_write(key);
        if possible {
            let from = (db.db(), *key);
            let key_move =
                KeyMove { from, from_event: Event::MoveFrom, to: (to, *key), to_event: Event::MoveTo };
            db.shard_mut().move_key(key_move);
        }
        reply.integer(i64::from(possible));
        Ok(if possible { Effect::Verbatim } else { Effect::None })
    }
}
