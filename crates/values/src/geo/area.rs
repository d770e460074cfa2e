//! The area of a search.

use super::cell::{Cell, STEP_MAX};
use super::position::{EARTH_RADIUS_M, Position, degrees, radians};

/// Half the width of the map, in meters at the equator.
const MAP_HALF_WIDTH_M: f64 = 20_037_726.37;
/// Neighbours of the middle cell, as steps to the east and to the north, in the order in which they are searched.
const NEIGHBOURS: [(i8, i8); 8] = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)];

/// What lies around the center.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// All within a radius.
    Circle {
        /// In the area's unit.
        radius: f64,
    },
    /// All within a box whose sides run along meridians and parallels.
    Box {
        /// From west to east, in the area's unit.
        width: f64,
        /// From south to north.
        height: f64,
    },
}

/// Where to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// The middle.
    pub center: Position,
    /// What around it.
    pub extent: Extent,
    /// The unit of lengths, in meters.
    pub unit_m: f64,
}

/// The least and largest coordinates that may be within an area, in degrees.
struct Limits {
    west: f64,
    south: f64,
    east: f64,
    north: f64,
}

impl Area {
    /// How far a place is from the center, in meters, if it is within the area.
    pub fn distance_m(&self, place: Position) -> Option<f64> {
        match self.extent {
            Extent::Circle { radius } => {
                let distance_m = self.center.distance_m(place);
                // What is not a number is within, as in Redis.
                if distance_m > radius * self.unit_m { None } else { Some(distance_m) }
            }
            Extent::Box { width, height } => {
                if place.distance_along_meridian_m(self.center) > height * self.unit_m / 2.0 {
                    return None;
                }
                let same_latitude = Position { longitude: self.center.longitude, latitude: place.latitude };
                if place.distance_m(same_latitude) > width * self.unit_m / 2.0 {
                    return None;
                }
                Some(self.center.distance_m(place))
            }
        }
    }

    /// The ranges of scores, each from a score to before another, in which all places within the area are, in the order
    /// in which Redis searches them.
    pub fn score_ranges(&self) -> Vec<(f64, f64)> {
        let limits = self.limits();
        let mut step = self.step();
        let mut middle = self.center.cell(step);
        if step > 1 && !reaches(middle, &limits) {
            step -= 1;
            middle = self.center.cell(step);
        }
        let bounds = middle.bounds();
        // What the middle cell reaches beyond the area needs no neighbour on that side. With few large cells, a
        // neighbour is one on the other side as well.
        let is_needed = |(east, north): (i8, i8)| {
            step < 2
                || !(north < 0 && bounds.latitude.0 < limits.south
                    || north > 0 && bounds.latitude.1 > limits.north
                    || east < 0 && bounds.longitude.0 < limits.west
                    || east > 0 && bounds.longitude.1 > limits.east)
        };
        let mut cells = vec![middle];
        let mut last = None;
        for (east, north) in NEIGHBOURS.into_iter().filter(|neighbour| is_needed(*neighbour)) {
            let cell = middle.neighbour(east, north);
            if last != Some(cell) {
                cells.push(cell);
                last = Some(cell);
            }
        }
        cells.into_iter().map(Cell::scores).collect()
    }

    fn limits(&self) -> Limits {
        let Position { longitude, latitude } = self.center;
        let (half_width, half_height) = match self.extent {
            Extent::Circle { radius } => (radius, radius),
            Extent::Box { width, height } => (width / 2.0, height / 2.0),
        };
        let (half_width_m, half_height_m) = (self.unit_m * half_width, self.unit_m * half_height);
        let up = degrees(half_height_m / EARTH_RADIUS_M);
        // Meridians come closer towards the poles: the area is widest in degrees at the edge that is farther from the
        // equator.
        let widest = if latitude < 0.0 { latitude - up } else { latitude + up };
        let aside = degrees(half_width_m / EARTH_RADIUS_M / radians(widest).cos());
        Limits {
            west: longitude - aside,
            south: latitude - up,
            east: longitude + aside,
            north: latitude + up,
        }
    }

    /// How often to halve the map so that the area lies within a cell and its eight neighbours, mostly.
    fn step(&self) -> u32 {
        let radius = match self.extent {
            Extent::Circle { radius } => radius,
            Extent::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
        };
        let mut length_m = radius * self.unit_m;
        if length_m == 0.0 {
            return STEP_MAX;
        }
        let mut step: i32 = -1;
        while length_m < MAP_HALF_WIDTH_M {
            length_m *= 2.0;
            step += 1;
        }
        // Cells are narrower towards the poles.
        let latitude = self.center.latitude.abs();
        step -= i32::from(latitude > 66.0) + i32::from(latitude > 80.0);
        step.clamp(1, STEP_MAX as i32) as u32
    }
}

/// Whether the neighbours of a cell cover the area to all sides.
fn reaches(middle: Cell, limits: &Limits) -> bool {
    let bounds = |east, north| middle.neighbour(east, north).bounds();
    !(bounds(0, 1).latitude.1 < limits.north
        || bounds(0, -1).latitude.0 > limits.south
        || bounds(1, 0).longitude.1 < limits.east
        || bounds(-1, 0).longitude.0 > limits.west)
}
