use super::expiration::{Clock, Expiration};
use super::get;
use tessera_command::prelude::*;

pub struct Set;

/// The parsed words of SET.
pub struct SetArgs<'a> {
    key: &'a [u8],
    value: &'a [u8],
    /// XX: `Some(true)`, NX: `Some(false)`.
    if_present: Option<bool>,
    get: bool,
    keep_ttl: bool,
    expiration: Option<Expiration<'a>>,
}

impl SetArgs<'_> {
    /// What to replay where the options make the client's words unfit.
    fn record(&self, db: &mut ViewMut<'_>) {
        let condition = match self.if_present {
            None => None,
            Some(true) => Some(b"XX".as_slice()),
            Some(false) => Some(b"NX".as_slice()),
        };
        let keep: Option<&[u8]> = if self.keep_ttl { Some(b"KEEPTTL") } else { None };
        match condition.or(keep) {
            None => db.record(&[b"SET", self.key, self.value]),
            Some(first) => match condition.and(keep) {
                None => db.record(&[b"SET", self.key, self.value, first]),
                Some(second) => db.record(&[b"SET", self.key, self.value, first, second]),
            },
        }
    }
}

/// The value that was there is read only for GET.
fn key_flags(args: Args<'_>) -> KeyFlags {
    if args.from(3).iter().any(|word| word.eq_ignore_ascii_case(b"GET")) {
        KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE)
    } else {
        KeyFlags::OW.with(KeyFlags::UPDATE)
    }
}

impl Write for Set {
    const SPEC: Spec = Spec {
        name: "set",
        summary: "Sets a key to a string, whatever it held.",
        since: "1.0.0",
        group: Group::String,
        complexity: "O(1)",
        leaves_values: true,
        flags: Flags::DENY_OOM,
        categories: Categories::STRING,
        keys: &[KeySpec::at(
            1,
            KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::UPDATE).with(KeyFlags::VARIABLE_FLAGS),
        )
        .notes("RW and ACCESS due to the optional `GET` argument")],
        events: &[Event::Set, Event::Expire, Event::New],
        key_flags: Some(key_flags),
        grammar: &[
            key("key", 0),
            string("value"),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional().since("2.6.12"),
            token("get", "GET").optional().since("6.2.0"),
            one_of(
                "expiration",
                &[
                    integer("seconds").after("EX").since("2.6.12"),
                    integer("milliseconds").after("PX").since("2.6.12"),
                    unix_time("unix-time-seconds").after("EXAT").since("6.2.0"),
                    unix_time("unix-time-milliseconds").after("PXAT").since("6.2.0"),
                    token("keepttl", "KEEPTTL").since("6.0.0"),
                ],
            )
            .optional(),
        ],
        history: &[
            ("2.6.12", "`EX`, `PX`, `NX` and `XX`."),
            ("6.0.0", "The `KEEPTTL` option."),
            ("6.2.0", "`GET`, `EXAT` and `PXAT`."),
            ("7.0.0", "`NX` and `GET` go together."),
        ],
        ..Spec::BASE
    };
    type Args<'a> = SetArgs<'a>;

    #[inline]
    fn parse<'a>(words: &mut Words<'a>) -> Result<SetArgs<'a>, Error> {
        let mut args = SetArgs {
            key: words.word()?,
            value: words.word()?,
            if_present: None,
            get: false,
            keep_ttl: false,
            expiration: None,
        };
        if !words.is_empty() {
            parse_options(words, &mut args)?;
        }
        Ok(args)
    }

    #[inline]
    fn execute(args: &SetArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let at_ms = match args.expiration {
            Some(expiration) => Some(expiration.at_ms(db.now_ms())?),
            None => None,
        };
        if args.get {
            get::answer_before(args.key, db, reply)?;
        }
        if let Some(if_present) = args.if_present
            && db.has_to_write(args.key) != if_present
        {
            if !args.get {
                reply.null();
            }
            return Ok(Effect::None);
        }
        if !args.get {
            reply.ok();
        }
        match (args.expiration, at_ms) {
            (Some(Expiration { clock: Clock::UnixMilliseconds, .. }), Some(at_ms)) => {
                put_expiring(args.key, args.value, at_ms, db);
                return Ok(Effect::Verbatim);
            }
            (_, Some(at_ms)) => put_until(args.key, args.value, at_ms, db),
            (_, None) => {
                let expire = if args.keep_ttl { Expire::Keep } else { Expire::Clear };
                db.put_string(args.key, args.value, expire, Event::Set);
                if !args.get {
                    return Ok(Effect::Verbatim);
                }
                args.record(db);
            }
        }
        Ok(Effect::Rewritten)
    }
}

fn parse_options<'a>(words: &mut Words<'a>, args: &mut SetArgs<'a>) -> Result<(), Error> {
    while !words.is_empty() {
        let fits = if words.take("NX") {
            args.if_present.replace(false) != Some(true)
        } else if words.take("XX") {
            args.if_present.replace(true) != Some(false)
        } else if words.take("GET") {
            args.get = true;
            true
        } else if words.take("KEEPTTL") {
            args.keep_ttl = true;
            args.expiration.is_none()
        } else {
            args.expiration = Some(Expiration::take(words, args.expiration)?);
            !args.keep_ttl
        };
        if !fits {
            return Err(Error::SYNTAX);
        }
    }
    Ok(())
}

/// Sets `key` to a string that expires at a Unix time in milliseconds.
fn put_expiring(key: &[u8], value: &[u8], at_ms: i64, db: &mut ViewMut<'_>) {
    db.put_string(key, value, Expire::AtMs(at_ms), Event::Set);
    db.tell_more(key, Event::Expire);
}

/// Sets `key` to a string that expires at a Unix time in milliseconds, and records just that.
pub(super) fn put_until(key: &[u8], value: &[u8], at_ms: i64, db: &mut ViewMut<'_>) {
    put_expiring(key, value, at_ms, db);
    db.record(&[b"SET", key, value, b"PXAT", Digits::new().format(at_ms).as_bytes()]);
}
