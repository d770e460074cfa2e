use super::{CORRUPT, NOT_HYPERLOGLOG, corrupt, not_hyperloglog};
use tessera_command::prelude::*;
use tessera_values::hyperloglog::{HyperLogLog, HyperLogLogMut, Representation};

pub struct PfDebug;

impl Write for PfDebug {
    const SPEC: Spec = Spec {
        name: "pfdebug",
        summary: "Shows how a HyperLogLog is kept, or makes it dense.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(N) with N the number of registers.",
        flags: Flags::DENY_OOM.with(Flags::ADMIN),
        categories: Categories::HYPERLOGLOG,
        keys: &[KeySpec::at(2, KeyFlags::RW.with(KeyFlags::ACCESS))],
        events: &[Event::Changed],
        grammar: &[string("subcommand"), key("key", 0)],
        system: true,
        ..Spec::BASE
    };
    /// Subcommand and key.
    type Args<'a> = (&'a [u8], &'a [u8]);

    fn parse<'a>(words: &mut Words<'a>) -> Result<Self::Args<'a>, Error> {
        Ok((words.word()?, words.word()?))
    }

    fn execute(
        (subcommand, key): &Self::Args<'_>,
        db: &mut ViewMut<'_>,
        reply: &mut Reply<'_>,
    ) -> Result<Effect, Error> {
        let effect = db.change_string(key, Event::Changed, |entry| {
            let mut digits = Digits::new();
            let bytes = entry.string().map_or(b"".as_slice(), |string| string.as_bytes(&mut digits));
            HyperLogLog::new(bytes).map_err(not_hyperloglog)?;
            let effect =
                entry.change_raw(|bytes| debug(subcommand, bytes, reply)).ok_or(NOT_HYPERLOGLOG)??;
            Ok::<_, Error>((effect, effect != Effect::None))
        })?;
        effect.ok_or(Error::Text("ERR The specified key does not exist"))
    }
}

fn debug(subcommand: &[u8], bytes: &mut Vec<u8>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
    let mut log = HyperLogLogMut::new(bytes).map_err(not_hyperloglog)?;
    let mut has_changed = false;
    if subcommand.eq_ignore_ascii_case(b"GETREG") {
        has_changed = log.make_dense().map_err(corrupt)?;
        let values: Vec<u8> = log.as_ref().dense_values().ok_or(CORRUPT)?.collect();
        reply.array(values.len());
        values.iter().for_each(|value| reply.integer(i64::from(*value)));
    } else if subcommand.eq_ignore_ascii_case(b"DECODE") {
        let text = log.as_ref().decode().ok_or(Error::Text("ERR HLL encoding is not sparse"))?;
        reply.bulk(text.as_bytes());
    } else if subcommand.eq_ignore_ascii_case(b"ENCODING") {
        reply.simple(match log.as_ref().representation() {
            Representation::Dense => "dense",
            Representation::Sparse => "sparse",
        });
    } else if subcommand.eq_ignore_ascii_case(b"TODENSE") {
        has_changed = log.make_dense().map_err(corrupt)?;
        reply.integer(i64::from(has_changed));
    } else {
        // Redis prints the name up to a zero byte.
        let name = subcommand.split(|byte| *byte == 0).next().unwrap_or_default();
        return Err(Error::built([b"ERR Unknown PFDEBUG subcommand '".as_slice(), name, b"'"].concat()));
    }
    Ok(if has_changed { Effect::Verbatim } else { Effect::None })
}
