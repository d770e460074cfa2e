//! Searching, and telling what was found.

use super::answer;
use super::query::{Order, Query};
use std::cmp::Ordering;
use tessera_command::prelude::*;
use tessera_values::geo::Position;
use tessera_values::listpack::Element;
use tessera_values::partial_sort::partial_sort;
use tessera_values::sorted_set::{ScoreBound, Span};
use tessera_values::{Digits, SortedSetRef};

/// A member within the area.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'s> {
    pub member: Element<'s>,
    pub score: f64,
    pub position: Position,
    /// From the center, in meters.
    pub distance_m: f64,
}

/// The members within the area, those that were asked for and in that order.
pub(super) fn search<'s>(query: &Query<'_>, set: SortedSetRef<'s>) -> Vec<Place<'s>> {
    let mut places = within(query, set);
    let wanted = query.count.unwrap_or(usize::MAX).min(places.len());
    if let Some(order) = query.order {
        if wanted == places.len() {
            sort(&mut places, order);
        } else {
            // Which of several at the same distance come is not left open either.
            partial_sort(&mut places, 0..wanted, |left, right| {
                let ordering = compare(left.distance_m, right.distance_m);
                if order == Order::Ascending { ordering } else { ordering.reverse() }
            });
        }
    }
    places.truncate(wanted);
    places
}

/// All members within the area, or enough of them, in the order in which they are come upon.
fn within<'s>(query: &Query<'_>, set: SortedSetRef<'s>) -> Vec<Place<'s>> {
    let mut places = Vec::new();
    let Some(area) = query.area() else { return places };
    let enough = if query.any { query.count.unwrap_or(usize::MAX) } else { usize::MAX };
    for (low, high) in area.score_ranges() {
        let span = Span::Score {
            min: ScoreBound { score: low, is_exclusive: false },
            max: ScoreBound { score: high, is_exclusive: true },
        };
        for (member, score) in set.range(set.ranks_of(&span)) {
            let position = Position::from_score(score);
            if let Some(distance_m) = area.distance_m(position) {
                places.push(Place { member, score, position, distance_m });
            }
            if places.len() >= enough {
                return places;
            }
        }
    }
    places
}

/// Those at the same distance stay in their order.
fn sort(places: &mut [Place<'_>], order: Order) {
    match order {
        Order::Ascending => places.sort_by(|left, right| left.distance_m.total_cmp(&right.distance_m)),
        Order::Descending => places.sort_by(|left, right| right.distance_m.total_cmp(&left.distance_m)),
    }
}

/// As Redis compares distances, those that are no numbers included.
fn compare(left: f64, right: f64) -> Ordering {
    if left > right {
        Ordering::Greater
    } else if left == right {
        Ordering::Equal
    } else {
        Ordering::Less
    }
}

/// Searches and answers what was found.
pub(super) fn answer(query: &Query<'_>, set: Option<SortedSetRef<'_>>, reply: &mut Reply<'_>) {
    let places = set.map(|set| search(query, set)).unwrap_or_default();
    let unit_m = query.area().map_or(1.0, |area| area.unit_m);
    let extras = [query.with_distance, query.with_score, query.with_coordinates];
    let extras_len = extras.into_iter().filter(|is_wanted| *is_wanted).count();
    let mut digits = Digits::new();
    reply.array(places.len());
    for place in &places {
        if extras_len > 0 {
            reply.array(extras_len + 1);
        }
        reply.bulk(place.member.as_bytes(&mut digits));
        if query.with_distance {
            answer::distance(place.distance_m / unit_m, reply);
        }
        if query.with_score {
            reply.integer(place.score as i64);
        }
        if query.with_coordinates {
            answer::position(place.position, reply);
        }
    }
}
