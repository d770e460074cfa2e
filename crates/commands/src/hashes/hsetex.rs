use super::access::change_or_create;
use super::expiry::{self, Request};
use super::pairs::DATA_MEMBERS;
use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_values::hash::FieldExpire;
use tessera_values::{Hash, HashRef};

const ONE_CONDITION: Error = Error::Text("ERR Only one of FXX or FNX arguments can be specified");
const ONE_EXPIRATION: Error =
    Error::Text("ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified");
const BAD_COUNT: Error = Error::Text("ERR invalid number of fields");

/// The words behind the key.
struct Options<'a> {
    /// FXX: `Some(true)`, all fields must be there. FNX: `Some(false)`, none may.
    if_present: Option<bool>,
    expire: FieldExpire,
    /// Fields with values in turn.
    data: Args<'a>,
}

impl<'a> Options<'a> {
    fn read(words: &mut Words<'a>, now_ms: i64) -> Result<Options<'a>, Error> {
        let (mut if_present, mut expire) = (None, None);
        while let Some(word) = words.peek() {
            if words.take("FIELDS") {
                let count = parse_i64(words.next_word().ok_or(Error::Arity)?).filter(|count| *count > 0);
                let count = usize::try_from(count.ok_or(BAD_COUNT)?).unwrap_or(usize::MAX);
                if count.checked_mul(2) != Some(words.left()) {
                    return Err(Error::Arity);
                }
                let expire = expire.unwrap_or(FieldExpire::Clear);
                return Ok(Options { if_present, expire, data: words.rest() });
            }
            let present = if words.take("FXX") { Some(true) } else { words.take("FNX").then_some(false) };
            if present.is_some() {
                if if_present.is_some() {
                    return Err(ONE_CONDITION);
                }
                if_present = present;
                continue;
            }
            let found = if words.take("KEEPTTL") {
                Some(FieldExpire::Keep)
            } else if expire.is_some() && is_time_option(word) {
                return Err(ONE_EXPIRATION);
            } else {
                expiry::option(words, now_ms)?.map(FieldExpire::AtMs)
            };
            if found.is_none() {
                // Redis prints the word as a C string.
                let end = word.iter().position(|byte| *byte == 0).unwrap_or(word.len());
                return Err(Error::built([b"ERR unknown argument: ", &word[..end]].concat()));
            }
            if expire.is_some() {
                return Err(ONE_EXPIRATION);
            }
            expire = found;
        }
        Err(Error::Arity)
    }

    fn fields(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        self.data.iter().step_by(2)
    }

    fn allow(&self, hash: HashRef<'_>, now_ms: i64) -> bool {
        match self.if_present {
            None => true,
            Some(present) => self.fields().all(|field| hash.get(field, now_ms).is_some() == present),
        }
    }

    /// What to replay.
    fn record(&self, key: &[u8], at_ms: i64, db: &mut ViewMut<'_>) {
        if at_ms <= db.now_ms() {
            let fields: Vec<&[u8]> = self.fields().collect();
            let _ = expiry::record(db, key, at_ms, &fields);
            return;
        }
        let (mut at_digits, mut count_digits) = (Digits::new(), Digits::new());
        let (at, count) = (at_digits.format(at_ms), count_digits.format(self.data.len() / 2));
        let mut words: Vec<&[u8]> = vec![b"HSETEX", key, b"PXAT", at.as_bytes(), b"FIELDS", count.as_bytes()];
        words.extend(self.data.iter());
        db.record(&words);
    }
}

fn is_time_option(word: &[u8]) -> bool {
    [b"EX".as_slice(), b"PX", b"EXAT", b"PXAT"].iter().any(|name| word.eq_ignore_ascii_case(name))
}

pub struct HSetEx;

impl Write for HSetEx {
    const SPEC: Spec = Spec {
        name: "hsetex",
        summary: "Sets fields of a hash to values and says when they expire.",
        since: "8.0.0",
        group: Group::Hash,
        complexity: "O(N) in the number of fields given.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HASH,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::HSet, Event::HExpire, Event::HDel, Event::Del, Event::New],
        grammar: &[
            key("key", 0),
            one_of("condition", &[token("fnx", "FNX"), token("fxx", "FXX")]).optional(),
            one_of(
                "expiration",
                &[
                    integer("seconds").after("EX"),
                    integer("milliseconds").after("PX"),
                    unix_time("unix-time-seconds").after("EXAT"),
                    unix_time("unix-time-milliseconds").after("PXAT"),
                    token("keepttl", "KEEPTTL"),
                ],
            )
            .optional(),
            block("fields", &[integer("numfields"), block("data", DATA_MEMBERS).multiple()]).after("FIELDS"),
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
        let (now_ms, thresholds) = (db.now_ms(), db.settings().thresholds);
        let options = Options::read(&mut { *words }, now_ms)?;
        let is_over = matches!(options.expire, FieldExpire::AtMs(at_ms) if at_ms <= now_ms);
        let expire = if is_over { FieldExpire::Clear } else { options.expire };
        let done = change_or_create(db, key, options.fields(), Event::HSet, |hash| {
            if !options.allow(hash.as_ref(), now_ms) {
                return (false, false);
            }
            hash.prepare(options.data.len() / 2, options.data.iter(), &thresholds);
            let mut words = options.data.iter();
            while let (Some(field), Some(value)) = (words.next(), words.next()) {
                hash.set(field, value, expire, &thresholds);
            }
            (true, true)
        })?;
        if done && is_over {
            // Redis sets them, too, before they go.
            db.change(key, Event::HDel, |hash: &mut Hash| {
                hash.prepare_expiry(&thresholds);
                options.fields().for_each(|field| {
                    hash.remove(field);
                });
                ((), true)
            })?;
        } else if done && matches!(expire, FieldExpire::AtMs(_)) {
            db.tell_more(key, Event::HExpire);
        }
        reply.integer(i64::from(done));
        match options.expire {
            _ if !done => Ok(Effect::None),
            FieldExpire::AtMs(at_ms) => {
                options.record(key, at_ms, db);
                Ok(Effect::Rewritten)
            }
            FieldExpire::Keep | FieldExpire::Clear => Ok(Effect::Verbatim),
        }
    }
}
