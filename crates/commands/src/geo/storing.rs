//! Searches whose result becomes a sorted set, or may.

use super::found;
use super::query::{Form, Query, Store};
use tessera_command::prelude::*;
use tessera_values::SortedSet;
use tessera_values::listpack::Element;

/// No two places are farther apart, in meters.
const FARTHEST_M: f64 = 2.0 * tessera_values::geo::EARTH_RADIUS_M * std::f64::consts::FRAC_PI_2;

/// Of the source all, of the destination, if there is one, whether it is there.
pub(super) fn needs<'a>(args: Args<'a>, form: Form, source: &'a [u8], needs: &mut Vec<Need<'a>>) {
    needs.push(Need { key: source, db: None, what: What::Value });
    // Mistakes are told when the source has been looked at; there is no destination then.
    if let Ok(Query { store: Some(store), .. }) = Query::parse(args, form, None) {
        needs.push(Need { key: store.key, db: None, what: What::Presence });
    }
}

/// Answers what is found, or stores it, of which `event` tells.
pub(super) fn decide(
    args: Args<'_>,
    form: Form,
    event: Event,
    context: Context,
    found: &[Found<'_>],
    changes: &mut Vec<Change>,
    reply: &mut Reply<'_>,
) -> Result<(), Error> {
    let source = match found.first().and_then(|source| source.value) {
        None => None,
        Some(ValueRef::SortedSet(set)) => Some(set),
        Some(_) => return Err(Error::WRONG_TYPE),
    };
    let query = Query::parse(args, form, source)?;
    let Some(store) = query.store else {
        found::answer(&query, source, reply);
        return Ok(());
    };
    let places = source.map(|set| found::search(&query, set)).unwrap_or_default();
    reply.integer(places.len() as i64);
    if !places.is_empty() {
        let value = sorted_set(&places, &query, store, &context.settings.thresholds).into();
        changes.push(Change::Put { index: 1, value, expire: Expire::Clear, event });
    } else if found.get(1).is_some_and(|destination| destination.present) {
        changes.push(Change::Remove { index: 1 });
    }
    Ok(())
}

fn sorted_set(
    places: &[found::Place<'_>],
    query: &Query<'_>,
    store: Store<'_>,
    thresholds: &Thresholds,
) -> SortedSet {
    let unit_m = query.area().map_or(1.0, |area| area.unit_m);
    let score = |place: &found::Place<'_>| {
        // What the formula gives no number for is as far as can be.
        if store.distances { place.distance_m.min(FARTHEST_M) / unit_m } else { place.score }
    };
    let mut elements: Vec<(Element<'_>, f64)> =
        places.iter().map(|place| (place.member, score(place))).collect();
    elements.sort_unstable_by(|(left, left_score), (right, right_score)| {
        let members = || left.as_bytes(&mut Digits::new()).cmp(right.as_bytes(&mut Digits::new()));
        left_score.total_cmp(right_score).then_with(members)
    });
    elements.dedup();
    SortedSet::from_sorted(elements.into_iter(), thresholds)
}
