//! The nearest known name to one that is not known.

use crate::no_effect::refused_directive;
use crate::table::{PARAMETERS, Parameter};

/// Longer names are not compared: no parameter's name comes near this length.
const MAX_NAME_BYTES: usize = 64;

/// The name nearest to `name`, if it is near enough to be a slip of the keyboard: about one wrong letter in four.
pub fn nearest_name(name: &[u8]) -> Option<&'static str> {
    if name.len() > MAX_NAME_BYTES {
        return None;
    }
    let name = str::from_utf8(name).ok()?.to_ascii_lowercase();
    let most = (name.chars().count() / 4).max(1);
    PARAMETERS
        .iter()
        .flat_map(Parameter::names)
        .map(|known| (strsim::damerau_levenshtein(&name, known), known))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

/// The sentence about a name that is none of the parameters.
pub fn unknown_option(name: &[u8]) -> String {
    let shown = String::from_utf8_lossy(name);
    if let Some(reason) = refused_directive(name) {
        return format!("'{shown}' is refused: {reason}");
    }
    match nearest_name(name) {
        Some(known) => format!("Unknown option '{shown}', did you mean '{known}'?"),
        None => format!("Unknown option '{shown}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognised_and_other_names_are_not() {
        let cases: &[(&str, Option<&str>)] = &[
            ("maxclient", Some("maxclients")),
            ("MAXCLEINTS", Some("maxclients")),
            ("tcp_keepalive", Some("tcp-keepalive")),
            ("prot", Some("port")),
            ("io-thread", Some("io-threads")),
            ("io-uring", None),
            ("dbfilename", Some("dbfilename")),
            ("replica-of", Some("replicaof")),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest_name(name.as_bytes()), *expected, "{name:?}");
        }
        assert_eq!(nearest_name(&b"x".repeat(1 << 20)), None);
        assert_eq!(nearest_name(b"\xff"), None);
    }
}
