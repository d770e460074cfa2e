//! Places on the earth, and which of them are near another.
//!
//! A place is kept as the score of a member of a sorted set: 52 bits, longitude and latitude in turn, from the coarsest
//! to the finest. Places in one cell of a grid have scores that begin with the same bits, so that a search looks at a
//! few ranges of scores.
//!
//! All formulas are carried out in the order in which Redis does, so that all digits are the same.

mod area;
mod cell;
mod position;
#[cfg(test)]
mod tests;

pub use area::{Area, Extent};
pub use position::{EARTH_RADIUS_M, OutOfRange, Position};
