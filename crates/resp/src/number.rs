//! Numbers as Redis reads and prints them.

mod digits;

use digits::Digits;

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
/// Longest text of a double, in bytes: a sign, `0.`, six zeros and 17 digits; or 24 digits.
const DOUBLE_MAX_LEN_BYTES: usize = 32;

/// The text of a double: see [`DoubleText::new`].
#[derive(Clone, Copy, Debug)]
pub struct DoubleText {
    bytes: [u8; DOUBLE_MAX_LEN_BYTES],
    len: usize,
}

impl DoubleText {
    /// Prints a double as Redis 7.2 does: an integer where it is one; otherwise with as many digits as it takes to read
    /// back the same, plain up to seven zeros on either side, else with an exponent of at least one digit and its sign;
    /// `inf`, `-inf`, `nan`. (Redis: `d2string`.)
    pub fn new(value: f64) -> DoubleText {
        let mut text = DoubleText { bytes: [0; DOUBLE_MAX_LEN_BYTES], len: 0 };
        if value.is_nan() {
            text.push(b"nan");
        } else if value.is_infinite() {
            text.push(if value > 0.0 { b"inf" } else { b"-inf" });
        } else if value == 0.0 {
            text.push(if value.is_sign_negative() { b"-0" } else { b"0" });
        } else if value.abs() <= PLAIN_INTEGER_MAX && (value as i64) as f64 == value {
            text.push(itoa::Buffer::new().format(value as i64).as_bytes());
        } else {
            if value < 0.0 {
                text.push(b"-");
            }
            text.push_digits(&Digits::of(value));
        }
        text
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn push_zeros(&mut self, count: u32) {
        (0..count).for_each(|_| self.push(b"0"));
    }

    fn push_digits(&mut self, number: &Digits) {
        let (digits, scale) = (number.as_bytes(), number.scale);
        let len = digits.len() as i32;
        let exponent = scale + len - 1;
        let magnitude = exponent.abs();
        if scale >= 0 && magnitude < len + 7 {
            self.push(digits);
            self.push_zeros(scale.unsigned_abs());
        } else if scale < 0 && (scale > -7 || magnitude < 4) {
            match usize::try_from(len + scale) {
                Ok(before @ 1..) => {
                    self.push(&digits[..before]);
                    self.push(b".");
                    self.push(&digits[before..]);
                }
                _ => {
                    self.push(b"0.");
                    self.push_zeros((len + scale).unsigned_abs());
                    self.push(digits);
                }
            }
        } else {
            self.push(&digits[..1]);
            if len > 1 {
                self.push(b".");
                self.push(&digits[1..]);
            }
            self.push(if exponent < 0 { b"e-" } else { b"e+" });
            self.push(itoa::Buffer::new().format(magnitude).as_bytes());
        }
    }
}

/// The same as a text of its own.
pub fn format_f64(value: f64) -> String {
    String::from_utf8_lossy(DoubleText::new(value).as_bytes()).into_owned()
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
            (1.0 / 3.0, "0.3333333333333333"),
            // One digit more than it takes.
            (-31431.59339, "-3.1431593390000002e+4"),
            (1234567.891, "1234567.891"),
            (0.000001, "0.000001"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(format_f64(value), text);
        }
    }

    #[test]
    fn doubles_read_back_the_same() {
        // A linear congruential generator will do.
        let mut bits = 1u64;
        for _ in 0..200_000 {
            bits = bits.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(bits ^ bits >> 31);
            if value.is_finite() {
                let text = format_f64(value);
                assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{text}");
            }
        }
    }
}
