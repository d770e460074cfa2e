//! One place.

use super::cell::{Cell, LATITUDES, LONGITUDES, STEP_MAX};

/// The earth's radius, in meters.
pub const EARTH_RADIUS_M: f64 = 6_372_797.560_856;
const RADIANS_PER_DEGREE: f64 = std::f64::consts::PI / 180.0;
/// The 32 digits of a geohash.
const DIGITS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
const DIGIT_BITS: u32 = 5;
/// Latitudes as geohashes have them everywhere else, in degrees.
const ALL_LATITUDES: (f64, f64) = (-90.0, 90.0);

pub fn radians(degrees: f64) -> f64 {
    degrees * RADIANS_PER_DEGREE
}

pub fn degrees(radians: f64) -> f64 {
    radians / RADIANS_PER_DEGREE
}

/// A place, in degrees.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Position {
    /// East of Greenwich.
    pub longitude: f64,
    /// North of the equator.
    pub latitude: f64,
}

/// Coordinates that are not on the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfRange;

impl Position {
    /// A place on the map.
    ///
    /// # Errors
    /// If it is not: the poles are not.
    pub fn new(longitude: f64, latitude: f64) -> Result<Position, OutOfRange> {
        let is_within = |value: f64, (low, high): (f64, f64)| (low..=high).contains(&value);
        if is_within(longitude, LONGITUDES) && is_within(latitude, LATITUDES) {
            Ok(Position { longitude, latitude })
        } else {
            Err(OutOfRange)
        }
    }

    /// The score of a member at this place, to which it is rounded.
    pub fn score(self) -> u64 {
        self.cell(STEP_MAX).bits
    }

    /// The middle of the cell that a score stands for. Any score stands for some place.
    pub fn from_score(score: f64) -> Position {
        let bounds = Cell { bits: unsigned(score), step: STEP_MAX }.bounds();
        let middle =
            |edges: (f64, f64), range: (f64, f64)| ((edges.0 + edges.1) / 2.0).clamp(range.0, range.1);
        Position {
            longitude: middle(bounds.longitude, LONGITUDES),
            latitude: middle(bounds.latitude, LATITUDES),
        }
    }

    pub(super) fn cell(self, step: u32) -> Cell {
        Cell::of(self.longitude, self.latitude, LATITUDES, step)
    }

    /// The geohash that other programs know the place by.
    pub fn geohash(self) -> [u8; 11] {
        let bits = Cell::of(self.longitude, self.latitude, ALL_LATITUDES, STEP_MAX).bits;
        let mut text = [DIGITS[0]; 11];
        // There are bits for ten digits, and two more that Redis does not use.
        for (index, digit) in text[..10].iter_mut().enumerate() {
            let shift = 2 * STEP_MAX - DIGIT_BITS * (index as u32 + 1);
            *digit = DIGITS[(bits >> shift) as usize % DIGITS.len()];
        }
        text
    }

    /// How far another place is along the surface of a sphere (by the haversine formula), in meters.
    pub fn distance_m(self, other: Position) -> f64 {
        let v = ((radians(other.longitude) - radians(self.longitude)) / 2.0).sin();
        if v == 0.0 {
            return self.distance_along_meridian_m(other);
        }
        let (latitude, other_latitude) = (radians(self.latitude), radians(other.latitude));
        let u = ((other_latitude - latitude) / 2.0).sin();
        let a = u * u + latitude.cos() * other_latitude.cos() * v * v;
        2.0 * EARTH_RADIUS_M * a.sqrt().asin()
    }

    /// How far the other's latitude is, in meters.
    pub fn distance_along_meridian_m(self, other: Position) -> f64 {
        EARTH_RADIUS_M * (radians(other.latitude) - radians(self.latitude)).abs()
    }
}

/// What C makes of a score as an unsigned number on x86-64, where the language leaves that open.
fn unsigned(score: f64) -> u64 {
    const HALF: f64 = (1u64 << 63) as f64;
    let signed = |value: f64| if (-HALF..HALF).contains(&value) { value as i64 } else { i64::MIN };
    if score >= HALF { signed(score - HALF) as u64 ^ 1 << 63 } else { signed(score) as u64 }
}
