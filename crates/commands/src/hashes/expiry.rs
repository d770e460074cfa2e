//! What the commands on the expiry of fields have in common. They are Redis 7.4's and 8.0's.

use super::access::change;
use crate::keys::expiry::{Form, Since, Unit};
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::Hash;

/// Latest time at which a field may expire, in Unix milliseconds.
const MAX_MS: i64 = (1 << 46) - 1;

const NEGATIVE: Error = Error::Text("ERR invalid expire time, must be >= 0");
const NO_FIELDS: Error = Error::Text("ERR Mandatory argument FIELDS is missing or not at the right position");
const MISMATCH: Error = Error::Text("ERR The `numfields` parameter must match the number of arguments");

/// What most commands say of a number of fields that is none.
pub(super) const NOT_POSITIVE: Error = Error::Text("ERR Number of fields must be a positive integer");
/// What HEXPIRE and its kin say.
pub(super) const NOT_ABOVE_ZERO: Error = Error::Text("ERR Parameter `numFields` should be greater than 0");

/// The field is not there.
const NO_SUCH_FIELD: i64 = -2;
/// The field has no expiry.
const NO_EXPIRY: i64 = -1;

/// How many fields, and which.
pub(super) const FIELDS: Arg =
    block("fields", &[integer("numfields"), string("field").multiple()]).after("FIELDS");

/// The conditions that the setting commands take.
pub(super) const CONDITION: Arg =
    one_of("condition", &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")])
        .optional();

/// The key and the words behind it, which are read once the key is known to hold a hash.
pub type Request<'a> = (&'a [u8], Words<'a>);

/// Reads the key.
pub(super) fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
    Ok((words.word()?, *words))
}

/// Reads FIELDS, a number and so many fields, which must be all that is left. `bad_count`: the number is none.
pub(super) fn fields<'a>(words: &mut Words<'a>, bad_count: Error) -> Result<Args<'a>, Error> {
    if !words.take("FIELDS") {
        return Err(NO_FIELDS);
    }
    let count = parse_i64(words.next_word().ok_or(Error::Arity)?).filter(|count| *count > 0);
    let count = count.ok_or(bad_count)?;
    if usize::try_from(count) == Ok(words.left()) { Ok(words.rest()) } else { Err(MISMATCH) }
}

/// The Unix time that a word means, in milliseconds.
pub(super) fn at_ms(word: &[u8], unit: Unit, since: Since, now_ms: i64) -> Result<i64, Error> {
    let count = parse_i64(word).ok_or(Error::NOT_AN_INTEGER)?;
    if count < 0 {
        return Err(NEGATIVE);
    }
    let time_ms = match unit {
        Unit::Seconds => count.saturating_mul(1000),
        Unit::Milliseconds => count,
    };
    let base_ms = if since == Since::Now { now_ms } else { 0 };
    let at_ms = time_ms.saturating_add(base_ms);
    if at_ms > MAX_MS { Err(Error::ExpireTime) } else { Ok(at_ms) }
}

/// Reads EX, PX, EXAT or PXAT and the time behind it; `None` if it is none of them.
pub(super) fn option(words: &mut Words<'_>, now_ms: i64) -> Result<Option<i64>, Error> {
    const OPTIONS: [(&str, Unit, Since); 4] = [
        ("EX", Unit::Seconds, Since::Now),
        ("PX", Unit::Milliseconds, Since::Now),
        ("EXAT", Unit::Seconds, Since::Epoch),
        ("PXAT", Unit::Milliseconds, Since::Epoch),
    ];
    let Some((_, unit, since)) = OPTIONS.iter().find(|(name, ..)| words.take(name)) else { return Ok(None) };
    at_ms(words.next_word().ok_or(Error::Arity)?, *unit, *since, now_ms).map(Some)
}

/// When the new expiry is set at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Condition {
    Always,
    NoExpiry,
    Expiry,
    Later,
    Earlier,
}

impl Condition {
    fn take(words: &mut Words<'_>) -> Condition {
        const CONDITIONS: [(&str, Condition); 4] = [
            ("NX", Condition::NoExpiry),
            ("XX", Condition::Expiry),
            ("GT", Condition::Later),
            ("LT", Condition::Earlier),
        ];
        CONDITIONS.iter().find(|(name, _)| words.take(name)).map_or(Condition::Always, |(_, found)| *found)
    }

    /// No expiry is later than all.
    fn allows(self, before_ms: Option<i64>, after_ms: i64) -> bool {
        match self {
            Condition::Always => true,
            Condition::NoExpiry => before_ms.is_none(),
            Condition::Expiry => before_ms.is_some(),
            Condition::Later => before_ms.is_some_and(|before_ms| after_ms > before_ms),
            Condition::Earlier => before_ms.is_none_or(|before_ms| after_ms < before_ms),
        }
    }
}

/// What HEXPIRE, HPEXPIRE, HEXPIREAT and HPEXPIREAT do.
pub(super) fn expire(
    (key, words): &Request<'_>,
    unit: Unit,
    since: Since,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let (now_ms, mut words) = (db.now_ms(), *words);
    check_type(key, db)?;
    let at_ms = at_ms(words.word()?, unit, since, now_ms)?;
    let condition = Condition::take(&mut words);
    let fields = fields(&mut words, NOT_ABOVE_ZERO)?;
    let thresholds = db.settings().thresholds;
    let mut set: Vec<&[u8]> = Vec::new();
    let event = if at_ms <= now_ms { Event::HDel } else { Event::HExpire };
    let codes = change(db, key, fields.iter(), event, |hash| {
        hash.prepare_expiry(&thresholds);
        let code = |field| {
            let Some(found) = hash.as_ref().find(field, now_ms) else { return NO_SUCH_FIELD };
            if !condition.allows(found.expire_at_ms, at_ms) {
                return 0;
            }
            set.push(field);
            if at_ms <= now_ms {
                hash.remove(field);
                return 2;
            }
            hash.set_expire(field, Some(at_ms), &thresholds);
            1
        };
        let codes = fields.iter().map(code).collect::<Vec<i64>>();
        (codes, !set.is_empty())
    })?;
    reply_codes(codes, fields.len(), reply);
    Ok(record(db, key, at_ms, &set))
}

/// Tells replicas that these fields expire at `at_ms`, or have.
pub(super) fn record(db: &mut ViewMut<'_>, key: &[u8], at_ms: i64, fields: &[&[u8]]) -> Effect {
    if fields.is_empty() {
        return Effect::None;
    }
    let (mut at_digits, mut count_digits) = (Digits::new(), Digits::new());
    let (at, count) = (at_digits.format(at_ms).as_bytes(), count_digits.format(fields.len()).as_bytes());
    let mut words: Vec<&[u8]> = if at_ms <= db.now_ms() {
        vec![b"HDEL", key]
    } else {
        vec![b"HPEXPIREAT", key, at, b"FIELDS", count]
    };
    words.extend(fields);
    db.record(&words);
    Effect::Rewritten
}

/// Refuses a key that holds something else, before the words behind it are looked at.
pub(super) fn check_type(key: &[u8], db: &ViewMut<'_>) -> Result<(), Error> {
    match db.read().peek(key).map(|entry| entry.value()) {
        None | Some(ValueRef::Hash(_)) => Ok(()),
        Some(_) => Err(Error::WRONG_TYPE),
    }
}

/// Writes a code for each of `len` fields, of a hash that is not there if there are none.
fn reply_codes(codes: Option<Vec<i64>>, len: usize, reply: &mut Reply<'_>) {
    reply.array(len);
    match codes {
        Some(codes) => codes.into_iter().for_each(|code| reply.integer(code)),
        None => (0..len).for_each(|_| reply.integer(NO_SUCH_FIELD)),
    }
}

/// What HTTL, HPTTL, HEXPIRETIME and HPEXPIRETIME do.
pub(super) fn answer(
    (key, words): &Request<'_>,
    form: Form,
    db: View<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    let hash = db.collection::<Hash>(key)?;
    let fields = fields(&mut { *words }, NOT_POSITIVE)?;
    let now_ms = db.now_ms();
    reply.array(fields.len());
    for field in fields.iter() {
        let found = hash.and_then(|hash| hash.find(field, now_ms));
        // Seconds are rounded upwards.
        let seconds = |ms: i64| (ms as u64).div_ceil(1000) as i64;
        reply.integer(match found.map(|found| found.expire_at_ms) {
            None => NO_SUCH_FIELD,
            Some(None) => NO_EXPIRY,
            Some(Some(at_ms)) => match form {
                Form::SecondsLeft => seconds(at_ms - now_ms),
                Form::MillisecondsLeft => at_ms - now_ms,
                Form::UnixSeconds => seconds(at_ms),
                Form::UnixMilliseconds => at_ms,
            },
        });
    }
    Ok(())
}

/// What HPERSIST does.
pub(super) fn persist(
    (key, words): &Request<'_>,
    db: &mut ViewMut<'_>,
    reply: &mut Reply<'_>,
) -> Result<Effect, Error> {
    let (now_ms, thresholds) = (db.now_ms(), db.settings().thresholds);
    check_type(key, db)?;
    let fields = fields(&mut { *words }, NOT_POSITIVE)?;
    let codes = change(db, key, fields.iter(), Event::HPersist, |hash| {
        let code = |field| match hash.as_ref().find(field, now_ms).map(|found| found.expire_at_ms) {
            None => NO_SUCH_FIELD,
            Some(None) => NO_EXPIRY,
            Some(Some(_)) => i64::from(hash.set_expire(field, None, &thresholds)),
        };
        let codes = fields.iter().map(code).collect::<Vec<i64>>();
        let has_changed = codes.contains(&1);
        (codes, has_changed)
    })?;
    let changed = codes.as_ref().is_some_and(|codes| codes.contains(&1));
    reply_codes(codes, fields.len(), reply);
    Ok(if changed { Effect::Verbatim } else { Effect::None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_compare_with_what_is_there() {
        for (condition, before_ms, allowed) in [
            (Condition::Always, None, true),
            (Condition::NoExpiry, None, true),
            (Condition::NoExpiry, Some(5), false),
            (Condition::Expiry, None, false),
            (Condition::Expiry, Some(5), true),
            (Condition::Later, None, false),
            (Condition::Later, Some(9), true),
            (Condition::Later, Some(10), false),
            (Condition::Earlier, None, true),
            (Condition::Earlier, Some(10), false),
            (Condition::Earlier, Some(11), true),
        ] {
            assert_eq!(condition.allows(before_ms, 10), allowed, "{condition:?} {before_ms:?}");
        }
    }

    #[test]
    fn times_have_a_bound() {
        const MAX: &[u8] = b"70368744177663";
        for (unit, since, word, expected) in [
            (Unit::Milliseconds, Since::Epoch, MAX, Ok(MAX_MS)),
            (Unit::Milliseconds, Since::Epoch, b"70368744177664".as_slice(), Err(Error::ExpireTime)),
            (Unit::Milliseconds, Since::Now, MAX, Err(Error::ExpireTime)),
            (Unit::Seconds, Since::Epoch, b"70368744177", Ok(70_368_744_177_000)),
            (Unit::Seconds, Since::Epoch, b"70368744178", Err(Error::ExpireTime)),
            (Unit::Seconds, Since::Now, b"9223372036854775807", Err(Error::ExpireTime)),
            (Unit::Seconds, Since::Now, b"2", Ok(2500)),
            (Unit::Seconds, Since::Now, b"0", Ok(500)),
            (Unit::Seconds, Since::Now, b"-1", Err(NEGATIVE)),
            (Unit::Seconds, Since::Now, b"9223372036854775808", Err(Error::NOT_AN_INTEGER)),
            (Unit::Seconds, Since::Now, b"1.5", Err(Error::NOT_AN_INTEGER)),
        ] {
            assert_eq!(at_ms(word, unit, since, 500), expected, "{unit:?} {since:?} {}", word.escape_ascii());
        }
    }
}
