use super::check_len;
use tessera_command::prelude::*;

pub struct Append;

impl Write for Append {
    const SPEC: Spec = Spec {
        name: "append",
        summary: "Appends to the string at a key; a missing key is taken for the empty string.",
        since: "2.0.0",
        group: Group::String,
        complexity: "O(1) amortized, besides copying what is appended.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::INSERT))],
        events: &[Event::Append, Event::New],
        grammar: &[key("key", 0), string("value")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute(
        (key, tail): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let settings = db.settings();
        let appended = db.change_string(key, Event::Append, |entry| {
            let len_bytes = entry.string().map_or(0, StringRef::len_bytes);
            check_len(settings, len_bytes as u64, tail.len())?;
            let after_bytes = len_bytes + tail.len();
            entry.change_raw_to(after_bytes, |bytes| bytes.extend_from_slice(tail));
            // Also of an empty text, as in Redis.
            Ok::<_, Error>((after_bytes, true))
        })?;
        let len_bytes = appended.unwrap_or_else(|| {
            db.put_string(key, tail, Expire::Clear, Event::Append);
            tail.len()
        });
        reply.integer(len_bytes as i64);
        Ok(Effect::Verbatim)
    }
}
