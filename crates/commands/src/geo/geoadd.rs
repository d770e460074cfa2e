use super::units;
use tessera_command::prelude::*;
use tessera_values::SortedSet;

pub struct GeoAdd;

/// The parsed words of GEOADD.
pub struct GeoAddArgs<'a> {
    key: &'a [u8],
    only_new: bool,
    only_present: bool,
    counts_changes: bool,
    /// Longitudes, latitudes and members in turn.
    triples: Args<'a>,
    /// What the places come to.
    scores: Vec<u64>,
}

impl Write for GeoAdd {
    const SPEC: Spec = Spec {
        name: "geoadd",
        summary: "Adds members with their places to a sorted set, or gives them other places.",
        since: "3.2.0",
        group: Group::Geo,
        complexity: "O(log(N)) for each member, with N the members there are.",
        flags: Flags::DENY_OOM,
        categories: Categories::GEO,
        keys: &[KeySpec::at(1, KeyFlags::RW.with(KeyFlags::UPDATE))],
        events: &[Event::ZAdd, Event::New],
        element: Some(4),
        grammar: &[
            key("key", 0),
            one_of("condition", &[token("nx", "NX"), token("xx", "XX")]).optional().since("6.2.0"),
            token("change", "CH").optional().since("6.2.0"),
            block("data", &[double("longitude"), double("latitude"), string("member")]).multiple(),
        ],
        history: &[("6.2.0", "Options `CH`, `NX` and `XX`.")],
        ..Spec::BASE
    };
    type Args<'a> = GeoAddArgs<'a>;

    fn parse<'a>(words: &mut Words<'a>) -> Result<GeoAddArgs<'a>, Error> {
        let key = words.word()?;
        let (mut only_new, mut only_present, mut counts_changes) = (false, false, false);
        loop {
            let option = if words.take("NX") {
                &mut only_new
            } else if words.take("XX") {
                &mut only_present
            } else if words.take("CH") {
                &mut counts_changes
            } else {
                break;
            };
            *option = true;
        }
        if words.is_empty() || !words.left().is_multiple_of(3) || only_new && only_present {
            return Err(Error::SYNTAX);
        }
        let mut scores = Vec::with_capacity(words.left() / 3);
        let triples = words.rest();
        for index in (0..triples.len()).step_by(3) {
            scores.push(units::position(&mut Words::new(triples, index))?.score());
        }
        Ok(GeoAddArgs { key, only_new, only_present, counts_changes, triples, scores })
    }

    fn execute(args: &GeoAddArgs<'_>, db: &mut ViewMut<'_>, reply: &mut Reply<'_>) -> Result<Effect, Error> {
        let thresholds = db.settings().thresholds;
        let (mut added, mut updated) = (0, 0);
        db.change_or_create(args.key, Event::ZAdd, |set: &mut SortedSet| {
            set.reserve(args.scores.len(), &thresholds);
            for (member, score) in args.members() {
                match set.as_ref().score(member) {
                    None if args.only_present => continue,
                    Some(_) if args.only_new => continue,
                    Some(before) if before == score as f64 => continue,
                    None => added += 1,
                    Some(_) => updated += 1,
                }
                set.set(member, score as f64, &thresholds);
            }
            ((), added + updated > 0)
        })?;
        reply.integer(if args.counts_changes { added + updated } else { added });
        if added + updated == 0 {
            return Ok(Effect::None);
        }
        if db.effects().is_recording() {
            args.record(db);
        }
        Ok(Effect::Rewritten)
    }
}

impl<'a> GeoAddArgs<'a> {
    fn members(&self) -> impl Iterator<Item = (&'a [u8], u64)> {
        self.triples.iter().skip(2).step_by(3).zip(self.scores.iter().copied())
    }

    /// Like Redis, notes the ZADD that it comes down to.
    fn record(&self, db: &mut ViewMut<'_>) {
        let scores: Vec<String> = self.scores.iter().map(u64::to_string).collect();
        let options = [(self.only_new, "NX"), (self.only_present, "XX"), (self.counts_changes, "CH")];
        let mut words: Vec<&[u8]> = vec![b"ZADD", self.key];
        words.extend(options.iter().filter(|(is_given, _)| *is_given).map(|(_, option)| option.as_bytes()));
        for (score, (member, _)) in scores.iter().zip(self.members()) {
            words.extend([score.as_bytes(), member]);
        }
        db.record(&words);
    }
}
