use super::expiration::Expiration;
use super::long;
use tessera_command::prelude::*;

pub struct GetEx;

/// The parsed words of GETEX.
pub struct GetExArgs<'a> {
    key: &'a [u8],
    expiration: Option<Expiration<'a>>,
    persist: bool,
}

impl Write for GetEx {
    const SPEC: Spec = Spec {
        name: "getex",
        summary: "Answers the string at a key and changes when the key expires.",
        since: "6.2.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::FAST,
        categories: Categories::STRING,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))
            .notes("RW and UPDATE because it changes the TTL")],
        events: &[Event::Expire, Event::Persist, Event::Del],
        grammar: &[
            key("key", 0),
            one_of(
                "expiration",
                &[
                    integer("seconds").after("EX"),
                    integer("milliseconds").after("PX"),
                    unix_time("unix-time-seconds").after("EXAT"),
                    unix_time("unix-time-milliseconds").after("PXAT"),
                    token("persist", "PERSIST"),
                ],
            )
            .optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = GetExArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<GetExArgs<'a>, Error> {
        let mut args = GetExArgs { key: words.word()?, expiration: None, persist: false };
        while !words.is_empty() {
            if words.take("PERSIST") {
                args.persist = true;
            } else {
                args.expiration = Some(Expiration::take(words, args.expiration)?);
            }
            if args.persist && args.expiration.is_some() {
                return Err(Error::SYNTAX);
            }
        }
        Ok(args)
    }

    fn execute(args: &GetExArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let (key, now_ms) = (args.key, db.now_ms());
        let Some(entry) = db.read().find(key) else {
            reply.null();
            return Ok(Effect::None);
        };
        let ValueRef::String(string) = entry.value() else { return Err(Error::WRONG_TYPE) };
        // A key that is not there is answered even if the time is nonsense.
        let at_ms = args.expiration.map(|expiration| expiration.at_ms(now_ms)).transpose()?;
        let persists = args.persist && entry.expire_at_ms().is_some();
        let mut digits = Digits::new();
        let bytes = string.as_bytes(&mut digits);
        if is_long_string(bytes.len()) && reply.may_stream() {
            let rest = long::begin(0, bytes.len(), reply);
            db.stream(key, rest);
        } else {
            reply.bulk(bytes);
        }
        match (args.expiration, at_ms) {
            (Some(expiration), Some(at_ms)) if expiration.clock.is_absolute() && at_ms <= now_ms => {
                db.delete(key);
                db.record(&[b"DEL", key]);
            }
            (_, Some(at_ms)) => {
                db.set_expire(key, Some(at_ms));
                db.record(&[b"PEXPIREAT", key, Digits::new().format(at_ms).as_bytes()]);
            }
            (_, None) if persists => {
                db.set_expire(key, None);
                db.record(&[b"PERSIST", key]);
            }
            (_, None) => return Ok(Effect::None),
        }
        Ok(Effect::Rewritten)
    }
}
