use super::{corrupt, not_hyperloglog, string_of};
use tessera_command::prelude::*;
use tessera_values::hyperloglog::{HyperLogLog, HyperLogLogMut, Registers};
use tessera_values::string::StringEncoding;

pub struct PfCount;

impl Gather for PfCount {
    const SPEC: Spec = Spec {
        name: "pfcount",
        summary: "About how many different elements were added to one or more HyperLogLogs.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(1) with one key, mostly answered from what the value keeps; O(N) with N keys, and much slower.",
        flags: Flags::MAY_REPLICATE,
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::range(1, -1, 1, KeyFlags::RW.with(KeyFlags::ACCESS)).notes(
            "RW because it may change the internal representation of the key, and propagate to replicas",
        )],
        events: &[Event::Changed],
        grammar: &[key("key", 0).multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Args<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Args<'a>, Error> {
        Ok(words.rest())
    }

    fn needs<'a>(keys: &Args<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        needs.extend(keys.iter().map(|key| Need { key, db: None, what: What::Value }));
        Ok(())
    }

    fn decide(
        _keys: &Args<'_>,
        _context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let estimate = match found {
            [one] => count_one(one, changes)?,
            several => count_several(several)?,
        };
        reply.integer(estimate as i64);
        Ok(())
    }
}

/// The estimate that is kept in the value, which is brought up to date.
fn count_one(found: &Found<'_>, changes: &mut Vec<Change>) -> Result<u64, Error> {
    let mut digits = Digits::new();
    let Some((string, bytes)) = string_of(found, &mut digits)? else { return Ok(0) };
    let log = HyperLogLog::new(bytes).map_err(not_hyperloglog)?;
    let cached = log.cached_estimate();
    let estimate = match cached {
        Some(estimate) => estimate,
        None => log.estimate().map_err(corrupt)?,
    };
    // Redis takes a short string out of its object here as well, so that its encoding is another.
    if cached.is_none() || string.encoding() == StringEncoding::Embstr {
        let mut bytes = bytes.to_vec();
        HyperLogLogMut::new(&mut bytes).map_err(not_hyperloglog)?.cache_estimate(estimate);
        changes.push(Change::Put {
            index: 0,
            value: StringValue::raw(bytes).into(),
            expire: Expire::Keep,
            event: Event::Changed,
        });
    }
    Ok(estimate)
}

/// The estimate for all together.
fn count_several(found: &[Found<'_>]) -> Result<u64, Error> {
    let mut registers = Registers::default();
    for found in found {
        let mut digits = Digits::new();
        if let Some((_, bytes)) = string_of(found, &mut digits)? {
            let log = HyperLogLog::new(bytes).map_err(not_hyperloglog)?;
            log.merge_into(&mut registers).map_err(corrupt)?;
        }
    }
    Ok(registers.estimate())
}
