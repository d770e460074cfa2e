use super::access::change_or_create;
use tessera_command::prelude::*;
use tessera_values::Hash;
use tessera_values::extended::Extended;
use tessera_values::hash::FieldExpire;

const NOT_FINITE: Error = Error::Text("ERR value is NaN or Infinity");
const NOT_A_FLOAT: Error = Error::Text("ERR hash value is not a float");
const SUM_NOT_FINITE: Error = Error::Text("ERR increment would produce NaN or Infinity");

pub struct HIncrByFloat;

impl Write for HIncrByFloat {
    const SPEC: Spec = Spec {
        name: "hincrbyfloat",
        summary: "Adds a decimal fraction to the number in a field of a hash; a missing field counts as 0.",
        since: "2.6.0",
        group: Group::Hash,
        complexity: "O(1)",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))],
        events: &[Event::HIncrByFloat, Event::New],
        element: Some(2),
        grammar: &[key("key", 0), string("field"), double("increment")],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], &'a [u8], Extended);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        let (key, field) = (words.word()?, words.word()?);
        match Extended::parse(words.word()?).ok_or(Error::NOT_A_FLOAT)? {
            Extended::NotFinite => Err(NOT_FINITE),
            increment => Ok((key, field, increment)),
        }
    }

    fn execute(
        (key, field, increment): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let (now_ms, thresholds) = (db.now_ms(), db.settings().thresholds);
        let add = |hash: &mut Hash| {
            let found = hash.as_ref().find(field, now_ms);
            let before = match found {
                None => Extended::ZERO,
                Some(found) => {
                    Extended::parse(found.value.as_bytes(&mut Digits::new())).ok_or(NOT_A_FLOAT)?
                }
            };
            let expire_at_ms = found.and_then(|found| found.expire_at_ms);
            let text = (before + *increment).format().ok_or(SUM_NOT_FINITE)?;
            hash.set(field, text.as_bytes(), FieldExpire::Keep, &thresholds);
            Ok::<_, Error>((text, expire_at_ms))
        };
        let fields = std::iter::once(*field);
        let (text, expire_at_ms) = change_or_create(db, key, fields, Event::HIncrByFloat, |hash| {
            let sum = add(hash);
            let has_changed = sum.is_ok();
            (sum, has_changed)
        })??;
        reply.bulk(text.as_bytes());
        // Whoever replays this may compute with other floats.
        db.record(&[b"HSET", key, field, text.as_bytes()]);
        if let Some(at_ms) = expire_at_ms {
            let mut digits = Digits::new();
            let at_ms = digits.format(at_ms).as_bytes();
            db.record(&[b"HPEXPIREAT", key, at_ms, b"FIELDS", b"1", field]);
        }
        Ok(Effect::Rewritten)
    }
}
