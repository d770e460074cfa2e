use super::database;
use tessera_command::gather::Context;
use tessera_command::prelude::*;

/// What the words ask for.
pub struct Request<'a> {
    source: &'a [u8],
    destination: &'a [u8],
    /// The last `DB`.
    db: Option<i32>,
    /// The largest of all `DB`s: every one of them must exist.
    highest_db: u32,
    replace: bool,
    /// What is wrong with the words behind the last good one. Redis meets a database that does not exist on its way
    /// there, so the error waits until the number of databases is known.
    failure: Option<Error>,
}

pub struct Copy;

impl Gather for Copy {
    const SPEC: Spec = Spec {
        name: "copy",
        summary: "Copies what a key holds, and its expiry, to another key.",
        since: "6.2.0",
        group: Group::Generic,
        complexity: "O(N) in the number of elements of a collection; O(1) for a string.",
        flags: Flags::DENY_OOM,
        categories: Categories::KEYSPACE,
        keys: &[
            KeySpec::at(1, KeyFlags::RO.with(KeyFlags::ACCESS)),
            KeySpec::at(2, KeyFlags::OW.with(KeyFlags::UPDATE)),
        ],
        events: &[Event::CopyTo, Event::New],
        grammar: &[
            key("source", 0),
            key("destination", 1),
            integer("destination-db").after("DB").optional(),
            token("replace", "REPLACE").optional(),
        ],
        ..Spec::BASE
    };
    type Args<'a> = Request<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Request<'a>, Error> {
        let mut request = Request {
            source: words.word()?,
            destination: words.word()?,
            db: None,
            highest_db: 0,
            replace: false,
            failure: None,
        };
        while !words.is_empty() {
            if words.take("REPLACE") {
                request.replace = true;
            } else if words.take("DB") && !words.is_empty() {
                match database::number(words.word()?) {
                    Ok(number) => {
                        request.db = Some(number);
                        // A negative number counts as one that is too large.
                        request.highest_db = request.highest_db.max(number as u32);
                    }
                    Err(failure) => return Ok(Request { failure: Some(failure), ..request }),
                }
            } else {
                return Ok(Request { failure: Some(Error::SYNTAX), ..request });
            }
        }
        Ok(request)
    }

    fn needs<'a>(request: &Request<'a>, context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        if request.highest_db >= u32::from(context.databases_len) {
            return Err(database::OUT_OF_RANGE);
        }
        if let Some(failure) = &request.failure {
            return Err(failure.clone());
        }
        let to = request.db.map_or(context.db, |number| number as u16);
        if to == context.db && request.source == request.destination {
            return Err(super::SAME_OBJECT);
        }
        needs.push(Need { key: request.source, db: None, what: What::Value });
        needs.push(Need { key: request.destination, db: Some(to), what: What::Presence });
        Ok(())
    }

    fn decide(
        request: &Request<'_>,
        _: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let source = &found[0];
        match source.value {
            Some(_) if request.replace || !found[1].present => {
                let expire = source.expire_at_ms.map_or(Expire::Clear, Expire::AtMs);
                changes.push(Change::Copy { from: 0, to: 1, expire, event: Event::CopyTo });
                reply.integer(1);
            }
            _ => reply.integer(0),
        }
        Ok(())
    }
}
