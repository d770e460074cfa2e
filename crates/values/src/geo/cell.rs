//! Cells of the grid.

/// Bits of a coordinate in a score.
pub const STEP_MAX: u32 = 26;
/// Longitudes, in degrees.
pub const LONGITUDES: (f64, f64) = (-180.0, 180.0);
/// Latitudes, in degrees: those of the square map of the Mercator projection.
pub const LATITUDES: (f64, f64) = (-85.051_128_78, 85.051_128_78);
/// Every second bit from the lowest on: a latitude.
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;
/// The others: a longitude.
const LONGITUDE_BITS: u64 = !LATITUDE_BITS;

/// A cell that comes of halving the map `step` times in each direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    /// Bits of the longitude and of the latitude in turn; the lowest one is of the latitude.
    pub bits: u64,
    /// Bits of each coordinate.
    pub step: u32,
}

/// What a cell covers, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// West and east.
    pub longitude: (f64, f64),
    /// South and north.
    pub latitude: (f64, f64),
}

/// Where a coordinate lies in its range, as a number of `step` bits.
fn fixed_point(value: f64, (low, high): (f64, f64), step: u32) -> u32 {
    ((value - low) / (high - low) * (1u64 << step) as f64) as u32
}

/// The edges of the part of a range that such a number stands for.
fn edges(number: u32, (low, high): (f64, f64), step: u32) -> (f64, f64) {
    let edge = |number: u32| low + f64::from(number) / (1u64 << step) as f64 * (high - low);
    (edge(number), edge(number.wrapping_add(1)))
}

/// Puts a zero above each bit.
fn spread(number: u32) -> u64 {
    let mut bits = u64::from(number);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LATITUDE_BITS),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Takes every second bit.
fn gather(bits: u64) -> u32 {
    let mut bits = bits & LATITUDE_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}

impl Cell {
    /// The cell that a place is in, where latitudes are those of a range.
    pub fn of(longitude: f64, latitude: f64, latitudes: (f64, f64), step: u32) -> Cell {
        let latitude = fixed_point(latitude, latitudes, step);
        let longitude = fixed_point(longitude, LONGITUDES, step);
        Cell { bits: spread(latitude) | spread(longitude) << 1, step }
    }

    /// What it covers.
    pub fn bounds(self) -> Bounds {
        Bounds {
            longitude: edges(gather(self.bits >> 1), LONGITUDES, self.step),
            latitude: edges(gather(self.bits), LATITUDES, self.step),
        }
    }

    /// The cell `east` columns to the east and `north` rows to the north, each -1, 0 or 1. Behind the map's edge it
    /// begins anew on the other side.
    pub fn neighbour(self, east: i8, north: i8) -> Cell {
        let used = u64::MAX >> (64 - 2 * self.step);
        let moved = |bits: u64, mask: u64, by: i8| {
            // With all other bits set, adding carries over them; with none, subtracting borrows over them.
            let others = !mask & used;
            match by {
                0 => bits & mask,
                1.. => (bits & mask).wrapping_add(others + 1) & mask & used,
                _ => (bits & mask | others).wrapping_sub(others + 1) & mask & used,
            }
        };
        let bits = moved(self.bits, LONGITUDE_BITS, east) | moved(self.bits, LATITUDE_BITS, north);
        Cell { bits, step: self.step }
    }

    /// The scores of the places in it: from the first to before the second.
    pub fn scores(self) -> (f64, f64) {
        let shift = 2 * (STEP_MAX - self.step);
        ((self.bits << shift) as f64, ((self.bits + 1) << shift) as f64)
    }
}
