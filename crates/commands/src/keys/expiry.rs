//! What the commands that set or tell an expiry have in common.

use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;

/// The conditions that the setting commands take.
pub const CONDITION: Arg =
    one_of("condition", &[token("nx", "NX"), token("xx", "XX"), token("gt", "GT"), token("lt", "LT")])
        .optional()
        .since("7.0.0");

const NX_CONFLICT: Error = Error::Text("ERR NX and XX, GT or LT options at the same time are not compatible");
const GT_LT_CONFLICT: Error = Error::Text("ERR GT and LT options at the same time are not compatible");

/// What a client counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// 1000 milliseconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// What a client counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// The time the command runs.
    Now,
    /// The Unix epoch.
    Epoch,
}

/// When the new expiry is set at all.
#[derive(Clone, Copy, Debug, Default)]
struct Conditions {
    /// There is no expiry yet.
    no_expiry: bool,
    /// There is one.
    expiry: bool,
    /// The new one is later; no expiry is later than all.
    later: bool,
    /// The new one is earlier.
    earlier: bool,
}

impl Conditions {
    fn parse(words: Args<'_>) -> Result<Conditions, Error> {
        let mut conditions = Conditions::default();
        for word in words.iter() {
            let condition = match word.to_ascii_lowercase().as_slice() {
                b"nx" => &mut conditions.no_expiry,
                b"xx" => &mut conditions.expiry,
                b"gt" => &mut conditions.later,
                b"lt" => &mut conditions.earlier,
                _ => return Err(unsupported(word)),
            };
            *condition = true;
        }
        if conditions.no_expiry && (conditions.expiry || conditions.later || conditions.earlier) {
            return Err(NX_CONFLICT);
        }
        if conditions.later && conditions.earlier {
            return Err(GT_LT_CONFLICT);
        }
        Ok(conditions)
    }

    fn allow(self, before_ms: Option<i64>, after_ms: i64) -> bool {
        !(self.no_expiry && before_ms.is_some()
            || self.expiry && before_ms.is_none()
            || self.later && before_ms.is_none_or(|before_ms| after_ms <= before_ms)
            || self.earlier && before_ms.is_some_and(|before_ms| after_ms >= before_ms))
    }
}

#[cold]
fn unsupported(word: &[u8]) -> Error {
    // Redis prints the word as a C string.
    let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
    Error::built([b"ERR Unsupported option ", &word[..end]].concat())
}

/// The words of EXPIRE, PEXPIRE, EXPIREAT and PEXPIREAT.
pub struct Request<'a> {
    key: &'a [u8],
    /// In milliseconds, counted as `since` says.
    time_ms: i64,
    since: Since,
    conditions: Conditions,
    condition_words: Args<'a>,
    /// The words already say the expiry as the log wants it.
    verbatim: bool,
}

impl<'a> Request<'a> {
    /// Reads the words.
    pub fn parse(words: &mut Words<'a>, unit: Unit, since: Since) -> Result<Request<'a>, Error> {
        let (key, time, condition_words) = (words.word()?, words.word()?, words.rest());
        let conditions = Conditions::parse(condition_words)?;
        let time = parse_i64(time).ok_or(Error::NOT_AN_INTEGER)?;
        let time_ms = match unit {
            Unit::Seconds => time.checked_mul(1000).ok_or(Error::ExpireTime)?,
            Unit::Milliseconds => time,
        };
        let verbatim = unit == Unit::Milliseconds && since == Since::Epoch;
        Ok(Request { key, time_ms, since, conditions, condition_words, verbatim })
    }

    /// Sets the expiry, or removes the key if that is in the past.
    pub fn execute(&self, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let now_ms = db.now_ms();
        let base_ms = if self.since == Since::Now { now_ms } else { 0 };
        let at_ms = self.time_ms.checked_add(base_ms).ok_or(Error::ExpireTime)?;
        let allowed = db
            .look_to_write(self.key, |entry| self.conditions.allow(entry.expire_at_ms(), at_ms))
            .unwrap_or(false);
        reply.integer(i64::from(allowed));
        if !allowed {
            return Ok(Effect::None);
        }
        if at_ms <= now_ms {
            db.delete(self.key);
            db.record(&[b"DEL", self.key]);
            return Ok(Effect::Rewritten);
        }
        db.set_expire(self.key, Some(at_ms));
        if self.verbatim {
            return Ok(Effect::Verbatim);
        }
        self.record(at_ms, db);
        Ok(Effect::Rewritten)
    }

    fn record(&self, at_ms: i64, db: &mut ViewMut<'_>) {
        if db.effects().is_recording() {
            let mut digits = Digits::new();
            let mut words: Vec<&[u8]> = vec![b"PEXPIREAT", self.key, digits.format(at_ms).as_bytes()];
            words.extend(self.condition_words.iter());
            db.record(&words);
        }
    }
}

/// How an expiry is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// TTL.
    SecondsLeft,
    /// PTTL.
    MillisecondsLeft,
    /// EXPIRETIME.
    UnixSeconds,
    /// PEXPIRETIME.
    UnixMilliseconds,
}

/// Answers the expiry of `key`: -1 if there is none, -2 if there is no such key.
pub fn answer(key: &[u8], form: Form, db: View<'_>, reply: &mut Reply<'_>) {
    let Some(entry) = db.find_untouched(key) else { return reply.integer(-2) };
    let Some(at_ms) = entry.expire_at_ms() else { return reply.integer(-1) };
    let left_ms = at_ms.saturating_sub(db.now_ms()).max(0);
    // Seconds are rounded, half a second upwards.
    let seconds = |ms: i64| ((ms as u64 + 500) / 1000) as i64;
    reply.integer(match form {
        Form::SecondsLeft => seconds(left_ms),
        Form::MillisecondsLeft => left_ms,
        Form::UnixSeconds => seconds(at_ms.max(0)),
        Form::UnixMilliseconds => at_ms.max(0),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_compare_with_what_is_there() {
        let conditions = |text: &str| {
            Conditions::parse(tessera_resp::args::OwnedArgs::from_words([text]).as_args()).unwrap()
        };
        for (text, before_ms, allowed) in [
            ("nx", None, true),
            ("NX", Some(5), false),
            ("xx", None, false),
            ("xx", Some(5), true),
            ("gt", None, false),
            ("gt", Some(9), true),
            ("gt", Some(10), false),
            ("lt", None, true),
            ("lt", Some(10), false),
            ("lt", Some(11), true),
        ] {
            assert_eq!(conditions(text).allow(before_ms, 10), allowed, "{text} {before_ms:?}");
        }
    }
}
