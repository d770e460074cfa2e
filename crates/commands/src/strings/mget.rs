use tessera_command::prelude::*;

pub struct MGet;

impl Read for MGet {
    const SPEC: Spec = Spec {
        name: "mget",
        summary: "Answers the strings at several keys.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(N) with N the number of keys.",
        spread: Some(Spread::ByKey(Merge::ByPosition)),
        flags: Flags::FAST,
        categories: Categories::STRING,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS))],
        grammar: &[key("key", 0).multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn execute(keys: &Args<'_>, db: View<'_>, reply: &mut Reply<'_>) -> Result<(), Error> {
        reply.array(keys.len());
        for key in keys.iter() {
            match db.string(key) {
                Ok(Some(string)) => reply.bulk(string.as_bytes(&mut Digits::new())),
                // Another type is no error here.
                Ok(None) | Err(_) => reply.null(),
            }
        }
        Ok(())
    }
}
