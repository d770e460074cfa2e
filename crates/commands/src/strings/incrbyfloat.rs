use tessera_command::prelude::*;
use tessera_values::extended::Extended;

pub struct IncrByFloat;

impl Write for IncrByFloat {
    const SPEC: Spec = Spec {
        name: "incrbyfloat",
        summary: "Adds a decimal fraction to the number at a key; a missing key counts as 0.",
        since: "2.6.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::IncrByFloat, Event::New],
        grammar: &[key("key", 0), double("increment")],
        ..Spec::BASE
    };
    /// The key and the increment's word: the key's type and value are looked at before the increment is.
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute(
        (key, increment): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let add = |before: Extended| {
            let sum = before + Extended::parse(increment).ok_or(Error::NOT_A_FLOAT)?;
            sum.format().ok_or(Error::Text("ERR increment would produce NaN or Infinity"))
        };
        let text = db.change_string(key, Event::IncrByFloat, |entry| {
            let mut digits = Digits::new();
            let text = entry.string().map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
            let text = add(Extended::parse(text).ok_or(Error::NOT_A_FLOAT)?)?;
            entry.set_string(StringValue::fixed(text.as_bytes()));
            Ok::<_, Error>((text, true))
        })?;
        let text = match text {
            Some(text) => text,
            None => {
                let text = add(Extended::ZERO)?;
                db.put(key, StringValue::fixed(text.as_bytes()), Expire::Clear, Event::IncrByFloat);
                text
            }
        };
        reply.bulk(text.as_bytes());
        // Whoever replays this may compute with other floats.
        db.record(&[b"SET", key, text.as_bytes(), b"KEEPTTL"]);
        Ok(Effect::Rewritten)
    }
}
