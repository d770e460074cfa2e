use super::access::{bulk_or_null, change, nulls};
use super::expiry::{self, FIELDS, NOT_POSITIVE, Request};
use tessera_command::prelude::*;

/// What becomes of the fields' expiry.
#[derive(Clone, Copy)]
enum Expiration {
    Keep,
    Persist,
    AtMs(i64),
}

pub struct HGetEx;

impl Write for HGetEx {
    const SPEC: Spec = Spec {
        name: "hgetex",
        summary: "Answers the values of fields of a hash and changes when they expire.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::FAST,
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE))
            .notes("RW and UPDATE because it changes the TTL")],
        events: &[Event::HExpire, Event::HPersist, Event::HDel, Event::Del],
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
            FIELDS,
        ],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        expiry::parse(words)
    }

    fn execute(
        (key, words): &Request<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let (now_ms, mut words, thresholds) = (db.now_ms(), *words, db.settings().thresholds);
        expiry::check_type(key, db)?;
        let expiration = match expiry::option(&mut words, now_ms)? {
            Some(at_ms) => Expiration::AtMs(at_ms),
            None if words.take("PERSIST") => Expiration::Persist,
            None => Expiration::Keep,
        };
        let fields = expiry::fields(&mut words, NOT_POSITIVE)?;
        let mut changed: Vec<&[u8]> = Vec::new();
        let event = match expiration {
            Expiration::AtMs(at_ms) if at_ms <= now_ms => Event::HDel,
            Expiration::AtMs(_) => Event::HExpire,
            Expiration::Persist | Expiration::Keep => Event::HPersist,
        };
        let found = change(db, key, fields.iter(), event, |hash| {
            reply.array(fields.len());
            if !matches!(expiration, Expiration::Keep) {
                hash.prepare_expiry(&thresholds);
            }
            for field in fields.iter() {
                // One after the other: a field that goes is not there any more when it is named again.
                let found = hash.as_ref().find(field, now_ms);
                bulk_or_null(reply, found.map(|found| found.value));
                let Some(before_ms) = found.map(|found| found.expire_at_ms) else { continue };
                match expiration {
                    Expiration::Keep => continue,
                    Expiration::Persist if before_ms.is_none() => continue,
                    Expiration::Persist => hash.set_expire(field, None, &thresholds),
                    Expiration::AtMs(at_ms) if at_ms <= now_ms => hash.remove(field),
                    Expiration::AtMs(at_ms) => hash.set_expire(field, Some(at_ms), &thresholds),
                };
                changed.push(field);
            }
            ((), !changed.is_empty())
        })?;
        if found.is_none() {
            nulls(reply, fields.len());
        }
        match expiration {
            Expiration::AtMs(at_ms) => Ok(expiry::record(db, key, at_ms, &changed)),
            _ if changed.is_empty() => Ok(Effect::None),
            _ => {
                let mut digits = Digits::new();
                let mut words: Vec<&[u8]> =
                    vec![b"HPERSIST", key, b"FIELDS", digits.format(changed.len()).as_bytes()];
                words.extend(changed);
                db.record(&words);
                Ok(Effect::Rewritten)
            }
        }
    }
}
