//! How coordinates and distances are printed.

use tessera_command::prelude::*;
use tessera_values::geo::Position;

/// An array of longitude and latitude.
pub(super) fn position(position: Position, reply: &mut Reply<'_>) {
    reply.array(2);
    coordinate(position.longitude, reply);
    coordinate(position.latitude, reply);
}

/// With up to 17 decimal places; in RESP3 it is a double.
fn coordinate(degrees: f64, reply: &mut Reply<'_>) {
    let text = format!("{degrees:.17}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    let text = if text == "-0" { "0" } else { text };
    match reply.protocol() {
        Protocol::Resp2 => reply.bulk(text.as_bytes()),
        Protocol::Resp3 => {
            reply.raw(b",");
            reply.raw(text.as_bytes());
            reply.raw(b"\r\n");
        }
    }
}

/// With four decimal places, always as a bulk string.
pub(super) fn distance(length: f64, reply: &mut Reply<'_>) {
    let scaled = (length * 10_000.0).round_ties_even();
    // What C makes of places so exactly opposite that the formula's rounding gives no number.
    let scaled = if scaled.is_nan() { i64::MIN } else { scaled as i64 };
    let (sign, digits) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs());
    reply.bulk(format!("{sign}{}.{:04}", digits / 10_000, digits % 10_000).as_bytes());
}
