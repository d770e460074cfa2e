//! Numbers as Redis reads and prints them.

/// Reads a signed 64-bit integer in the one canonical form: an optional `-`, digits without a leading zero,
/// nothing else. `None` for anything else, overflow included. (Redis: `string2ll`.)
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] => return if negative { None } else { Some(0) },
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut value: u64 = 0;
    for &byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // 19 digits stay below 10^19 < 2^64.
        value = value * 10 + u64::from(digit);
    }
    if negative {
        if value > i64::MIN.unsigned_abs() { None } else { Some((value as i64).wrapping_neg()) }
    } else {
        i64::try_from(value).ok()
    }
}

/// Appends `value` in decimal.
#[inline]
pub fn push_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Integral doubles up to half of the 64-bit range are printed like integers.
const PLAIN_INTEGER_MAX: f64 = (i64::MAX / 2) as f64;

/// Prints a double as Redis 7.2 does: an integer where it is one; otherwise with the fewest digits that read back the
/// same, plain up to seven zeros on either side, else with an exponent of at least one digit and its sign; `inf`,
/// `-inf`, `nan`. (Redis: `d2string`.)
pub fn format_f64(value: f64) -> String {
    if value.is_nan() {
        return "nan".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf".into() } else { "-inf".into() };
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0".into() } else { "0".into() };
    }
    if value.abs() <= PLAIN_INTEGER_MAX && (value as i64) as f64 == value {
        return itoa::Buffer::new().format(value as i64).to_owned();
    }
    let scientific = format!("{:e}", value.abs());
    let (mantissa, exponent) = scientific.split_once('e').expect("the exponent is always printed");
    let exponent: i32 = exponent.parse().expect("a small integer");
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = digits.len() as i32;
    // The value is digits * 10^scale.
    let scale = exponent - (count - 1);
    let sign = if value < 0.0 { "-" } else { "" };
    let magnitude = exponent.abs();
    if scale >= 0 && magnitude < count + 7 {
        return format!("{sign}{digits}{}", "0".repeat(scale as usize));
    }
    if scale < 0 && (scale > -7 || magnitude < 4) {
        let before = count + scale;
        return if before <= 0 {
            format!("{sign}0.{}{digits}", "0".repeat(-before as usize))
        } else {
            let (whole, fraction) = digits.split_at(before as usize);
            format!("{sign}{whole}.{fraction}")
        };
    }
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{magnitude}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_canonical_or_refused() {
        for (text, value) in [
            ("0", Some(0)),
            ("-0", None),
            ("00", None),
            ("01", None),
            ("+1", None),
            ("", None),
            ("-", None),
            (" 1", None),
            ("1 ", None),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("-9223372036854775809", None),
            ("99999999999999999999", None),
            ("12a", None),
        ] {
            assert_eq!(parse_i64(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn doubles_print_as_redis_prints_them() {
        for (value, text) in [
            (3.0, "3"),
            (0.1, "0.1"),
            (-2.5, "-2.5"),
            (1e21, "1e+21"),
            (1e-7, "1e-7"),
            (1e17, "100000000000000000"),
            (4_611_686_018_427_387_904.0, "4611686018427387904"),
            (5e18, "5e+18"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (5e-324, "5e-324"),
            (1.0e300, "1e+300"),
            (-0.0, "-0"),
            (1234567.891, "1234567.891"),
            (0.000001, "0.000001"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(format_f64(value), text);
        }
    }
}
