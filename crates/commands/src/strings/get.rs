use tessera_command::prelude::*;

pub struct Get;

impl Read for Get {
    const SPEC: Spec = Spec {
        name: "get",
        summary: "Answers the string at a key.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        spread: Spread::OneShard,
        flags: Flags::FAST,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0)],
        ..Spec::BASE
    };
    type Args<'a> = &'a [u8];

    fn parse<'a>(words: &mut Words<'a>) -> Result<&'a [u8], Error> {
        words.word()
    }

    fn execute(key: &&[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        answer(key, db, reply)
    }
}

/// Answers the string at `key`, or null: GET, and the part of other commands that is like it.
///
/// # Errors
/// If the key holds something else.
#[inline]
pub(super) fn answer(key: &[u8], db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
    match db.string(key)? {
        Some(value) => reply.bulk(value.as_bytes(&mut Digits::new())),
        None => reply.null(),
    }
    Ok(())
}
