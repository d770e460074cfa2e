use super::{CORRUPT, CORRUPT_TEXT, NOT_HYPERLOGLOG, not_hyperloglog};
use tessera_command::prelude::*;
use tessera_values::hyperloglog::{HyperLogLog, HyperLogLogMut, empty};

pub struct PfAdd;

impl Write for PfAdd {
    const SPEC: Spec = Spec {
        name: "pfadd",
        summary: "Adds elements to a HyperLogLog, which begins empty if there is no such key.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(1) for each element.",
        flags: Flags::DENY_OOM.with(Flags::FAST),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::INSERT))],
        events: &[Event::PfAdd, Event::New],
        grammar: &[key("key", 0), string("element").optional().multiple()],
        ..Spec::BASE
    };
    type Args<'a> = (&'a [u8], Args<'a>);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.rest()))
    }

    fn execute(
        (key, elements): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let sparse_max_bytes = db.settings().thresholds.hll_sparse_max_bytes;
        let added = db.change_string(key, Event::PfAdd, |entry| {
            check(entry.string())?;
            let added = entry.change_raw(|bytes| {
                let added = add(bytes, *elements, sparse_max_bytes);
                let is_partial = matches!(added, Ok((true, Err(_))));
                (added, is_partial.then(|| bytes.clone()))
            });
            let (added, left) = added.ok_or(NOT_HYPERLOGLOG)?;
            let (has_changed, result) = added?;
            Ok::<_, Error>(((has_changed, result, left), has_changed))
        })?;
        let Some((has_changed, result, left)) = added else {
            let mut bytes = empty();
            let (_, result) = add(&mut bytes, *elements, sparse_max_bytes)?;
            result?;
            // Redis counts what it creates as changed.
            HyperLogLogMut::new(&mut bytes).map_err(not_hyperloglog)?.mark_out_of_date();
            db.put(key, StringValue::raw(bytes), Expire::Clear, Event::PfAdd);
            reply.integer(1);
            return Ok(Effect::Verbatim);
        };
        match (result, left) {
            // Elements before the one that met the corruption have been added, and stay. The same words would add
            // others where sparse HyperLogLogs may be longer.
            (Err(_), Some(left)) => {
                db.record(&[b"SET", key, &left, b"KEEPTTL"]);
                return Err(Error::AfterChange(CORRUPT_TEXT));
            }
            (result, _) => result?,
        }
        reply.integer(i64::from(has_changed));
        Ok(if has_changed { Effect::Verbatim } else { Effect::None })
    }
}

fn check(string: Option<StringRef<'_>>) -> Result<(), Error> {
    let mut digits = Digits::new();
    let bytes = string.ok_or(Error::WRONG_TYPE)?.as_bytes(&mut digits);
    HyperLogLog::new(bytes).map(drop).map_err(not_hyperloglog)
}

/// Adds elements up to one that cannot be added. Whether any raised a register, and whether all could be added.
fn add(
    bytes: &mut Vec<u8>,
    elements: Args<'_>,
    sparse_max_bytes: u64,
) -> Result<(bool, Result<(), Error>), Error> {
    let mut log = HyperLogLogMut::new(bytes).map_err(not_hyperloglog)?;
    let mut has_changed = false;
    for element in elements.iter() {
        match log.add(element, sparse_max_bytes) {
            Ok(raised) => has_changed |= raised,
            Err(_) => return Ok((has_changed, Err(CORRUPT))),
        }
    }
    if has_changed {
        log.mark_out_of_date();
    }
    Ok((has_changed, Ok(())))
}
