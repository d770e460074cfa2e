use tessera_command::prelude::*;
use tessera_resp::number::parse_i64;
use tessera_storage::rdb::{RestoreError, restore_checked_if};

pub struct Restore;

/// What the words ask for.
pub struct Request<'a> {
    key: &'a [u8],
    /// In milliseconds. Whether it is a number is looked at after whether the key is there.
    ttl: &'a [u8],
    payload: &'a [u8],
    options: Args<'a>,
    replace: bool,
    /// The time to live is a Unix time.
    absolute: bool,
    idle_s: Option<u64>,
    frequency: Option<u8>,
}

const BUSY: Error = Error::Text("BUSYKEY Target key name already exists.");
const BAD_TTL: Error = Error::Text("ERR Invalid TTL value, must be >= 0");
const BAD_IDLE_TIME: Error = Error::Text("ERR Invalid IDLETIME value, must be >= 0");
const BAD_FREQUENCY: Error = Error::Text("ERR Invalid FREQ value, must be >= 0 and <= 255");
const BAD_FOOTER: Error = Error::Text("ERR DUMP payload version or checksum are wrong");
const BAD_DATA: Error = Error::Text("ERR Bad data format");

impl Write for Restore {
    const SPEC: Spec = Spec {
        name: "restore",
        summary: "Gives a key the value of a payload that DUMP made.",
        since: "2.6.0",
        group: Group::Generic,
        complexity: "O(N) in the length of the payload; O(N*log(N)) for a sorted set of N members.",
        flags: Flags::DENY_OOM,
        categories: Categories::KEYSPACE.with(Categories::DANGEROUS),
        keys: &[KeySpec::at(1, KeyFlags::OW.with(KeyFlags::UPDATE))],
        events: &[Event::Restore, Event::Del, Event::New],
        grammar: &[
            key("key", 0),
            integer("ttl"),
            string("serialized-value"),
            token("replace", "REPLACE").optional().since("3.0.0"),
            token("absttl", "ABSTTL").optional().since("5.0.0"),
            integer("seconds").after("IDLETIME").optional().since("5.0.0"),
            integer("frequency").after("FREQ").optional().since("5.0.0"),
        ],
        history: &[
            ("3.0.0", "Modifier `REPLACE`."),
            ("5.0.0", "Modifier `ABSTTL`."),
            ("5.0.0", "Options `IDLETIME` and `FREQ`."),
        ],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        let (key, ttl, payload) = (words.word()?, words.word()?, words.word()?);
        let mut request = Request {
            key,
            ttl,
            payload,
            options: words.all().from(words.all().len() - words.left()),
            replace: false,
            absolute: false,
            idle_s: None,
            frequency: None,
        };
        while !words.is_empty() {
            if words.take("replace") {
                request.replace = true;
            } else if words.take("absttl") {
                request.absolute = true;
            } else if words.left() > 1 && request.frequency.is_none() && words.take("idletime") {
                let idle_s = u64::try_from(words.integer()?).map_err(|_| BAD_IDLE_TIME)?;
                request.idle_s = Some(idle_s);
            } else if words.left() > 1 && request.idle_s.is_none() && words.take("freq") {
                let frequency = u8::try_from(words.integer()?).map_err(|_| BAD_FREQUENCY)?;
                request.frequency = Some(frequency);
            } else {
                return Err(Error::SYNTAX);
            }
        }
        Ok(request)
    }

    fn execute(
        request: &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        if !request.replace && db.has_to_write(request.key) {
            return Err(BUSY);
        }
        let ttl_ms = parse_i64(request.ttl).ok_or(Error::NOT_AN_INTEGER)?;
        if ttl_ms < 0 {
            return Err(BAD_TTL);
        }
        let value =
            restore_checked_if(request.payload, &db.settings().thresholds, !db.settings().skip_checksums)
                .map_err(|error| match error {
                    RestoreError::Footer => BAD_FOOTER,
                    RestoreError::Data { .. } => BAD_DATA,
                })?;
        reply.ok();
        // A sum that is too large is in the past, as in Redis.
        let at_ms = match ttl_ms {
            0 => None,
            _ if request.absolute => Some(ttl_ms),
            _ => Some(ttl_ms.wrapping_add(db.now_ms())),
        };
        if at_ms.is_some_and(|at_ms| at_ms <= db.now_ms()) {
            let is_deleted = request.replace && db.delete(request.key);
            if is_deleted {
                db.record(&[b"DEL", request.key]);
            }
            return Ok(if is_deleted { Effect::Rewritten } else { Effect::None });
        }
        db.put(request.key, value, at_ms.map_or(Expire::Clear, Expire::AtMs), Event::Restore);
        db.set_usage(request.key, request.idle_s, request.frequency);
        match at_ms {
            Some(at_ms) if !request.absolute => {
                request.record(at_ms, db);
                Ok(Effect::Rewritten)
            }
            _ => Ok(Effect::Verbatim),
        }
    }
}

impl Request<'_> {
    /// Notes the same with the time at which the key expires.
    fn record(&self, at_ms: i64, db: &mut ViewMut<'_>) {
        if db.effects().is_recording() {
            let mut digits = Digits::new();
            let at_ms = digits.format(at_ms).as_bytes();
            let mut words: Vec<&[u8]> = vec![b"RESTORE", self.key, at_ms, self.payload];
            words.extend(self.options.iter());
            words.push(b"ABSTTL");
            db.record(&words);
        }
    }
}
