//! Numbers were recorded from Valkey 7.2.7.

use super::cell::{Cell, LATITUDES};
use super::*;

const PALERMO: Position = Position { longitude: 13.361389, latitude: 38.115556 };
const CATANIA: Position = Position { longitude: 15.087269, latitude: 37.502669 };

/// Places, their scores and geohashes, and where they are when they are read again.
#[test]
fn places_become_scores() {
    for (longitude, latitude, score, geohash, again) in [
        (
            PALERMO.longitude,
            PALERMO.latitude,
            3_479_099_956_230_698,
            "sqc8b49rny0",
            ("13.36138933897018433", "38.11555639549629859"),
        ),
        (
            CATANIA.longitude,
            CATANIA.latitude,
            3_479_447_370_796_909,
            "sqdtr74hyu0",
            ("15.08726745843887329", "37.50266842333162032"),
        ),
        (
            180.0,
            85.05112878,
            13_510_798_882_111_488,
            "bp05b5048p0",
            ("180.00000000000000000", "85.05112877999999910"),
        ),
        (-180.0, -85.05112878, 0, "00bh0hbj200", ("-179.99999731779098511", "-85.05112751263942528")),
        (
            -0.0000001,
            0.0000001,
            1_876_499_844_737_706,
            "ebpbpbpbpb0",
            ("-0.00000268220901489", "0.00000126736058093"),
        ),
        (
            179.9999,
            -16.5,
            3_355_687_726_873_826,
            "rvpfpurbt90",
            ("179.99990075826644897", "-16.49999931370297901"),
        ),
    ] {
        let position = Position::new(longitude, latitude).unwrap();
        assert_eq!(position.score(), score);
        let read = Position::from_score(score as f64);
        assert_eq!((format!("{:.17}", read.longitude), format!("{:.17}", read.latitude)), {
            (again.0.to_owned(), again.1.to_owned())
        });
        assert_eq!(read.geohash(), *geohash.as_bytes());
    }
}

#[test]
fn any_score_is_some_place() {
    let south_west = (-179.999_997_317_790_99, -85.051_127_512_639_43);
    for (score, (longitude, latitude)) in [
        (-1.0, (180.0, 85.051_128_78)),
        (1e300, south_west),
        (f64::NEG_INFINITY, (180.0, south_west.1)),
        (f64::INFINITY, south_west),
        (2f64.powi(52), (south_west.0, 85.051_128_78)),
        (1.5, (south_west.0, -85.051_124_977_918_25)),
        (2f64.powi(63), (180.0, south_west.1)),
        (2f64.powi(64), south_west),
    ] {
        assert_eq!(Position::from_score(score), Position { longitude, latitude }, "{score}");
    }
}

#[test]
fn the_poles_are_not_on_the_map() {
    for (longitude, latitude) in [(180.1, 0.0), (-180.1, 0.0), (0.0, 85.06), (0.0, -85.06), (f64::NAN, 0.0)] {
        assert_eq!(Position::new(longitude, latitude), Err(OutOfRange));
    }
}

#[test]
fn distances_are_those_of_redis() {
    let as_kept = |longitude, latitude| {
        Position::from_score(Position::new(longitude, latitude).unwrap().score() as f64)
    };
    let distance = |from: Position, to: Position, unit_m: f64| format!("{:.4}", from.distance_m(to) / unit_m);
    let palermo = as_kept(PALERMO.longitude, PALERMO.latitude);
    let catania = as_kept(CATANIA.longitude, CATANIA.latitude);
    let zero = as_kept(0.0, 0.0);
    assert_eq!(distance(palermo, catania, 1.0), "166274.1516");
    assert_eq!(distance(as_kept(180.0, 85.05112878), as_kept(-180.0, -85.05112878), 1.0), "18919844.5891");
    assert_eq!(distance(zero, as_kept(179.9999, -16.5), 1000.0), "18185.5003");
    assert_eq!(distance(as_kept(2.2944692, 48.8583701), palermo, 1609.34), "924.8857");
    assert_eq!(distance(zero, as_kept(-0.0000001, 0.0000001), 0.3048), "1.9576");
}

#[test]
fn cells_lie_side_by_side() {
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..1000 {
        let step = random.u32(2..=26);
        let cell = Cell::of(random.f64() * 300.0 - 150.0, random.f64() * 100.0 - 50.0, LATITUDES, step);
        let bounds = cell.bounds();
        let at = |east, north| cell.neighbour(east, north).bounds();
        // In the outermost cells the map begins anew.
        if bounds.longitude.0 > -180.0 && bounds.longitude.1 < 180.0 {
            assert_eq!(at(1, 0).longitude.0, bounds.longitude.1);
            assert_eq!(at(-1, 0).longitude.1, bounds.longitude.0);
        }
        if bounds.latitude.0 > LATITUDES.0 && bounds.latitude.1 < LATITUDES.1 {
            assert_eq!(at(1, 1).latitude.0, bounds.latitude.1);
            assert_eq!(at(-1, -1).latitude.1, bounds.latitude.0);
        }
        assert_eq!(cell.neighbour(1, -1).neighbour(-1, 1), cell);
    }
}

/// Whatever is near enough is found by looking at the ranges of scores. Neither area lies at the map's edge, where
/// Redis's search does not go around.
#[test]
fn ranges_of_scores_cover_the_area() {
    let mut random = fastrand::Rng::with_seed(2);
    let mut within = 0;
    for _ in 0..3000 {
        let mut place = |spread: f64, around: Position| Position {
            longitude: around.longitude + (random.f64() - 0.5) * spread,
            latitude: around.latitude + (random.f64() - 0.5) * spread,
        };
        let center = place(100.0, Position::default());
        let size = 10f64.powf(place(3.0, Position { longitude: 3.5, latitude: 0.0 }).longitude);
        let spread = size / 40_000.0;
        let extent = if place(1.0, center).longitude > center.longitude {
            Extent::Circle { radius: size }
        } else {
            Extent::Box { width: size, height: size * 0.7 }
        };
        let area = Area { center, extent, unit_m: 1.0 };
        let ranges = area.score_ranges();
        assert!((1..=9).contains(&ranges.len()));
        for (index, (low, high)) in ranges.iter().enumerate() {
            let is_apart = |other: &(f64, f64)| *high <= other.0 || other.1 <= *low;
            assert!(ranges[..index].iter().all(is_apart), "a place would be found twice");
        }
        for _ in 0..50 {
            let score = place(spread, center).score() as f64;
            if area.distance_m(Position::from_score(score)).is_some() {
                within += 1;
                assert!(ranges.iter().any(|(low, high)| (low..high).contains(&&score)), "{area:?} {score}");
            }
        }
    }
    assert!(within > 20_000, "{within}");
}
