//! Coordinates and lengths among the words.

use tessera_command::prelude::*;
use tessera_values::double;
use tessera_values::geo::Position;

/// A unit of length, in meters.
pub(super) fn unit_m(word: &[u8]) -> Result<f64, Error> {
    if word.eq_ignore_ascii_case(b"m") {
        Ok(1.0)
    } else if word.eq_ignore_ascii_case(b"km") {
        Ok(1000.0)
    } else if word.eq_ignore_ascii_case(b"ft") {
        Ok(0.3048)
    } else if word.eq_ignore_ascii_case(b"mi") {
        Ok(1609.34)
    } else {
        Err(Error::Text("ERR unsupported unit provided. please use M, KM, FT, MI"))
    }
}

/// A longitude and a latitude.
pub(super) fn position(words: &mut Words<'_>) -> Result<Position, Error> {
    let mut coordinate = || double::parse(words.word()?).ok_or(Error::NOT_A_FLOAT);
    let (longitude, latitude) = (coordinate()?, coordinate()?);
    Position::new(longitude, latitude).map_err(|_| {
        Error::built(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}"))
    })
}
