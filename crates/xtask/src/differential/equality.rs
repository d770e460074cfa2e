//! When two replies count as equal.

use super::templates::Equality;
use tessera_resp::scan;

/// Whether `got` is what `expected` is. `keys`: what the KEYS just before answered, on each side.
pub fn is_equal(expected: &[u8], got: &[u8], equality: Equality, keys: (&[u8], &[u8])) -> bool {
    expected == got && equality != Equality::RandomKey
        || match equality {
            Equality::Exact => false,
            Equality::Within(tolerance) => scan::integer(expected)
                .zip(scan::integer(got))
                .is_some_and(|(expected, got)| (expected - got).abs() <= tolerance),
            Equality::AnyOrder => sorted(expected) == sorted(got),
            Equality::AnyOrderPairs => sorted_pairs(expected) == sorted_pairs(got),
            Equality::RandomKey => is_random_key(expected, got, keys),
            Equality::Hello => {
                without_own(expected).zip(without_own(got)).is_some_and(|(expected, got)| expected == got)
            }
        }
}

fn is_random_key(expected: &[u8], got: &[u8], keys: (&[u8], &[u8])) -> bool {
    let is_among =
        |reply: &[u8], keys| scan::elements(keys).is_some_and(|mut keys| keys.any(|key| key == reply));
    match (scan::text(expected), scan::text(got)) {
        (Some(_), Some(_)) => is_among(expected, keys.0) && is_among(got, keys.1),
        _ => expected == got,
    }
}

/// The reply's bytes with the elements of all arrays in the order of their bytes.
pub fn sorted(reply: &[u8]) -> Vec<u8> {
    let Some(elements) = scan::elements(reply) else { return reply.to_vec() };
    let mut elements: Vec<Vec<u8>> = elements.map(sorted).collect();
    elements.sort_unstable();
    [format!("*{} ", elements.len()).into_bytes(), elements.concat()].concat()
}

/// The reply's bytes with its pairs in the order of their bytes.
pub fn sorted_pairs(reply: &[u8]) -> Vec<u8> {
    let Some(elements) = scan::elements(reply) else { return reply.to_vec() };
    let elements: Vec<&[u8]> = elements.collect();
    let mut pairs: Vec<Vec<u8>> = elements.chunks(2).map(<[&[u8]]>::concat).collect();
    pairs.sort_unstable();
    // The first byte tells a map from an array.
    [reply[..1].to_vec(), pairs.concat()].concat()
}

/// HELLO's answer without what each server says of itself: version and the connection's number.
fn without_own(reply: &[u8]) -> Option<Vec<&[u8]>> {
    let parts: Vec<&[u8]> = scan::elements(reply)?.collect();
    let own = |name: &[u8]| matches!(scan::text(name), Some(b"version" | b"id"));
    let pairs = parts.chunks(2).flat_map(|pair| match pair {
        [name, _] if own(name) => vec![*name],
        pair => pair.to_vec(),
    });
    // The first byte tells a map from an array.
    Some([&reply[..1]].into_iter().chain(pairs).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(expected: &str, got: &str, equality: Equality) -> bool {
        let keys = b"*2\r\n$1\r\na\r\n$1\r\nb\r\n";
        is_equal(expected.as_bytes(), got.as_bytes(), equality, (keys, keys))
    }

    #[test]
    fn only_what_may_differ_does() {
        assert!(equal(":1\r\n", ":2\r\n", Equality::Within(1)));
        assert!(!equal(":1\r\n", ":3\r\n", Equality::Within(1)));
        assert!(!equal(":1\r\n", "+1\r\n", Equality::Within(1)));
        assert!(equal("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:1\r\n", Equality::AnyOrder));
        assert!(!equal("*2\r\n:1\r\n:2\r\n", "*2\r\n:2\r\n:2\r\n", Equality::AnyOrder));
        let pairs = |first: &str, second: &str| format!("*4\r\n:{first}\r\n:{second}\r\n");
        assert!(equal(&pairs("1\r\n:2", "3\r\n:4"), &pairs("3\r\n:4", "1\r\n:2"), Equality::AnyOrderPairs));
        assert!(!equal(&pairs("1\r\n:2", "3\r\n:4"), &pairs("1\r\n:4", "3\r\n:2"), Equality::AnyOrderPairs));
        assert!(equal("$1\r\na\r\n", "$1\r\nb\r\n", Equality::RandomKey));
        assert!(!equal("$1\r\nc\r\n", "$1\r\nc\r\n", Equality::RandomKey));
        assert!(!equal("$-1\r\n", "$1\r\nb\r\n", Equality::RandomKey));
        let hello =
            |version, proto| format!("*4\r\n$7\r\nversion\r\n$1\r\n{version}\r\n$5\r\nproto\r\n:{proto}\r\n");
        assert!(equal(&hello(1, 2), &hello(7, 2), Equality::Hello));
        assert!(!equal(&hello(1, 2), &hello(1, 3), Equality::Hello));
        assert!(!equal(&hello(1, 2), &hello(1, 2).replace('*', "%"), Equality::Hello));
    }
}
