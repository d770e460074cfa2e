use super::{corrupt, not_hyperloglog, string_of};
use tessera_command::prelude::*;
use tessera_values::hyperloglog::{HyperLogLog, HyperLogLogMut, Registers, Representation, empty};

pub struct PfMerge;

/// The parsed words of PFMERGE.
pub struct Merging<'a> {
    destination: &'a [u8],
    sources: Args<'a>,
}

impl Gather for PfMerge {
    const SPEC: Spec = Spec {
        name: "pfmerge",
        summary: "Adds to a HyperLogLog all elements of others, and begins with an empty one if there is no such key.",
        since: "2.8.9",
        group: Group::HyperLogLog,
        complexity: "O(N) with N the number of HyperLogLogs; the time for each is long.",
        flags: Flags::DENY_OOM,
        categories: Categories::HYPERLOGLOG,
        keys: &[
            KeySpec::at(1, KeyFlags::RW.with(KeyFlags::ACCESS).with(KeyFlags::INSERT)),
            KeySpec::range(2, -1, 1, KeyFlags::RO.with(KeyFlags::ACCESS)),
        ],
        events: &[Event::PfAdd, Event::New],
        grammar: &[key("destkey", 0), key("sourcekey", 1).optional().multiple()],
        ..Spec::BASE
    };
    type Args<'a> = Merging<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<Merging<'a>, Error> {
        Ok(Merging { destination: words.word()?, sources: words.rest() })
    }

    fn needs<'a>(merging: &Merging<'a>, _context: Context, needs: &mut Vec<Need<'a>>) -> Result<(), Error> {
        let keys = std::iter::once(merging.destination).chain(merging.sources.iter());
        needs.extend(keys.map(|key| Need { key, db: None, what: What::Value }));
        Ok(())
    }

    fn decide(
        _merging: &Merging<'_>,
        context: Context,
        found: &[Found<'_>],
        changes: &mut Vec<Change>,
        reply: &mut Reply<'_>,
    ) -> Result<(), Error> {
        let (mut registers, mut any_dense) = (Registers::default(), false);
        let mut merged = empty();
        // The destination's own registers count as well.
        for (index, found) in found.iter().enumerate() {
            let mut digits = Digits::new();
            let Some((_, bytes)) = string_of(found, &mut digits)? else { continue };
            let log = HyperLogLog::new(bytes).map_err(not_hyperloglog)?;
            any_dense |= log.representation() == Representation::Dense;
            log.merge_into(&mut registers).map_err(corrupt)?;
            if index == 0 {
                merged = bytes.to_vec();
            }
        }
        let mut log = HyperLogLogMut::new(&mut merged).map_err(not_hyperloglog)?;
        if any_dense {
            log.make_dense().map_err(corrupt)?;
        }
        log.raise_all(&registers, context.settings.thresholds.hll_sparse_max_bytes);
        log.mark_out_of_date();
        changes.push(Change::Put {
            index: 0,
            value: StringValue::raw(merged).into(),
            expire: Expire::Keep,
            event: Event::PfAdd,
        });
        reply.ok();
        Ok(())
    }
}
