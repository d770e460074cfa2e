//! Doubles as Redis reads them: what C's `strtod` accepts, within the bounds that its callers set.

use tessera_resp::number::format_f64;

/// Integral doubles up to here are written as integers: half of the 64-bit range, as in Redis.
const INTEGER_MAX: f64 = (i64::MAX / 2) as f64;
/// Exponents are read up to here: far beyond any number that is not 0 or infinite, whatever digits it has.
const EXPONENT_BOUND: i64 = 1 << 40;

/// Reads a number that a word must be as a whole: decimal or (behind `0x`) hexadecimal digits with a point, an
/// exponent, a sign; or an infinity by name. `None` for anything else, for numbers that are too large, and for those so
/// small that they would become 0. (Redis: `string2d`.)
pub fn parse(text: &[u8]) -> Option<f64> {
    let number = Number::read(text)?;
    if number.is_named || number.is_in_range() { Some(number.value) } else { None }
}

/// Reads the end of a range of scores, which may be less well-formed: white space may lead, a zero byte ends it,
/// nothing at all is 0, what is too large is infinite, and what is too small is 0. (Redis: `strtod` in
/// `zslParseRange`.)
pub fn parse_bound(text: &[u8]) -> Option<f64> {
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    if text.is_empty() {
        return Some(0.0);
    }
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|byte| !is_space(byte))?;
    Number::read(&text[start..]).map(|number| number.value)
}

/// Reads what SORT sorts by: as the end of a range of scores, but within bounds, as C reports them. (Redis: `strtod` in
/// `sortCommandGeneric`.)
pub fn parse_weight(text: &[u8]) -> Option<f64> {
    let value = parse_bound(text)?;
    let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
    let number = text.iter().position(|byte| !byte.is_ascii_whitespace() && *byte != 0x0b);
    let Some(start) = number else { return Some(value) };
    // C reports numbers that are so small that they lose digits, too.
    parse(&text[start..]).filter(|value| !value.is_subnormal())
}

/// The integer that a double is, if it is written as one where Redis writes doubles. (Redis: `double2ll`.)
#[inline]
pub fn as_integer(value: f64) -> Option<i64> {
    let integer = value as i64;
    (value.abs() <= INTEGER_MAX && integer as f64 == value).then_some(integer)
}

/// Prints a double as C's `%.17g` does: 17 digits at most, whether they are needed or not.
pub fn format_17_digits(value: f64) -> String {
    if !value.is_finite() || value == 0.0 {
        return format_f64(value);
    }
    let scientific = format!("{value:.16e}");
    let (mantissa, exponent) = scientific.split_once('e').expect("the exponent is always printed");
    let exponent: i32 = exponent.parse().expect("a small integer");
    if (-4..17).contains(&exponent) {
        let places = (16 - exponent).unsigned_abs() as usize;
        let plain = format!("{value:.places$}");
        return without_trailing_zeros(&plain).to_owned();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", without_trailing_zeros(mantissa), exponent.abs())
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// What a text comes to.
struct Number {
    value: f64,
    /// An infinity that was asked for by name.
    is_named: bool,
    /// Some digit is not 0.
    is_something: bool,
}

impl Number {
    fn read(text: &[u8]) -> Option<Number> {
        let (negative, number) = match text {
            [b'-', number @ ..] => (true, number),
            [b'+', number @ ..] => (false, number),
            number => (false, number),
        };
        let magnitude = match number {
            [b'0', b'x' | b'X', digits @ ..] => hexadecimal(digits)?,
            [b'0'..=b'9' | b'.', ..] => decimal(number)?,
            name if name.eq_ignore_ascii_case(b"inf") || name.eq_ignore_ascii_case(b"infinity") => {
                Number { value: f64::INFINITY, is_named: true, is_something: true }
            }
            _ => return None,
        };
        Some(Number { value: if negative { -magnitude.value } else { magnitude.value }, ..magnitude })
    }

    /// Neither too large nor too small.
    fn is_in_range(&self) -> bool {
        self.value.is_finite() && (self.value != 0.0 || !self.is_something)
    }
}

fn decimal(text: &[u8]) -> Option<Number> {
    let end = text.iter().position(|byte| byte | 0x20 == b'e').unwrap_or(text.len());
    let (whole, fraction) = halves(&text[..end], u8::is_ascii_digit)?;
    if let Some(exponent) = text.get(end + 1..) {
        parse_exponent(exponent)?;
    }
    let is_something = whole.iter().chain(fraction).any(|digit| *digit != b'0');
    // The grammar has been checked: what is left is to round, which the standard library does right.
    let value = std::str::from_utf8(text).ok()?.parse().ok()?;
    Some(Number { value, is_named: false, is_something })
}

/// The digits before and behind the point; there is at least one.
fn halves(mantissa: &[u8], is_digit: fn(&u8) -> bool) -> Option<(&[u8], &[u8])> {
    let (whole, fraction) = match mantissa.iter().position(|byte| *byte == b'.') {
        None => (mantissa, b"".as_slice()),
        Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
    };
    let is_number = !(whole.is_empty() && fraction.is_empty()) && whole.iter().chain(fraction).all(is_digit);
    is_number.then_some((whole, fraction))
}

fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value =
        digits.iter().fold(0, |value: i64, digit| (value * 10 + i64::from(digit - b'0')).min(EXPONENT_BOUND));
    Some(if negative { -value } else { value })
}

fn hexadecimal(text: &[u8]) -> Option<Number> {
    let end = text.iter().position(|byte| byte | 0x20 == b'p').unwrap_or(text.len());
    let (whole, fraction) = halves(&text[..end], u8::is_ascii_hexdigit)?;
    let exponent = text.get(end + 1..).map_or(Some(0), parse_exponent)?;
    // The first 15 digits that count are kept, and whether anything follows.
    let (mut mantissa, mut dropped, mut inexact) = (0u64, 0i64, false);
    for digit in whole.iter().chain(fraction) {
        let digit = u64::from(char::from(*digit).to_digit(16).unwrap_or(0));
        if mantissa >> 56 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            dropped += 4;
            inexact |= digit != 0;
        }
    }
    let exponent = exponent + dropped - 4 * fraction.len() as i64;
    Some(Number { value: round(mantissa, exponent, inexact), is_named: false, is_something: mantissa != 0 })
}

/// `mantissa` times 2 to the `exponent`, and a little more if `inexact`, rounded to the nearest double, halves to even.
fn round(mantissa: u64, exponent: i64, inexact: bool) -> f64 {
    if mantissa == 0 {
        return 0.0;
    }
    // The highest bit stands for 2^top.
    let top = 63 - i64::from(mantissa.leading_zeros()) + exponent;
    if top > 1023 {
        return f64::INFINITY;
    }
    // The last bit of a double of that size stands for 2^unit.
    let unit = (top - 52).max(-1074);
    let drop = unit - exponent;
    let (kept, above_half, is_half) = match drop {
        ..=0 => (mantissa << (-drop).min(63), false, false),
        1..=64 => {
            let kept = if drop == 64 { 0 } else { mantissa >> drop };
            let half = 1u64 << (drop - 1);
            let rest = if drop == 64 { mantissa } else { mantissa & ((1 << drop) - 1) };
            (kept, rest > half || rest == half && inexact, rest == half && !inexact)
        }
        _ => return 0.0,
    };
    let rounded = kept + u64::from(above_half || is_half && kept & 1 == 1);
    // At most 2^53: exact. A power of two below the smallest normal number takes two steps.
    let half_unit = unit / 2;
    rounded as f64 * 2f64.powi(half_unit as i32) * 2f64.powi((unit - half_unit) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_strtod_reads_them() {
        for (text, value) in [
            ("1", Some(1.0)),
            ("+1", Some(1.0)),
            ("-1.5e1", Some(-15.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("1e", None),
            ("1e+", None),
            (".", None),
            ("", None),
            (" 1", None),
            ("1 ", None),
            ("1\u{0}", None),
            ("1_0", None),
            ("inf", Some(f64::INFINITY)),
            ("-Infinity", Some(f64::NEG_INFINITY)),
            ("infinit", None),
            ("nan", None),
            ("1e308", Some(1e308)),
            ("1e309", None),
            ("0e999999999999", Some(0.0)),
            ("5e-324", Some(5e-324)),
            ("1e-400", None),
            ("0x1.8p1", Some(3.0)),
            ("0X1P-3", Some(0.125)),
            ("0x.8", Some(0.5)),
            ("0x", None),
            ("0x.", None),
            ("0x1p", None),
            ("0xg", None),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1p1024", None),
            ("0x1.fffffffffffff8p1023", None),
            ("0x1.fffffffffffff7fffp1023", Some(f64::MAX)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1075", None),
            ("0x1.8p-1075", Some(5e-324)),
            ("0x0p99999999999999999999", Some(0.0)),
            // Halves go to the even neighbour, and anything more to the one above.
            ("0x20000000000001", Some(9_007_199_254_740_992.0)),
            ("0x20000000000001.00000000000001", Some(9_007_199_254_740_994.0)),
            ("0x20000000000003", Some(9_007_199_254_740_996.0)),
        ] {
            assert_eq!(parse(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn hexadecimal_numbers_keep_every_bit() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..10_000 {
            let value = f64::from_bits(random.u64(..));
            if !value.is_finite() || value == 0.0 {
                continue;
            }
            let (bits, sign) = (value.abs().to_bits(), if value < 0.0 { "-" } else { "" });
            let (exponent, mantissa) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
            let text = match exponent {
                0 => format!("{sign}0x{mantissa:x}p-1074"),
                _ => format!("{sign}0x1.{mantissa:013x}p{}", exponent - 1023),
            };
            assert_eq!(parse(text.as_bytes()), Some(value), "{text}");
        }
    }

    #[test]
    fn bounds_are_read_less_strictly() {
        for (text, value) in [
            ("", Some(0.0)),
            ("\u{0}x", Some(0.0)),
            ("1\u{0}x", Some(1.0)),
            (" \t1", Some(1.0)),
            (" ", None),
            ("1 ", None),
            ("1e999", Some(f64::INFINITY)),
            ("-1e999", Some(f64::NEG_INFINITY)),
            ("1e-999", Some(0.0)),
            ("nan", None),
            ("x", None),
        ] {
            assert_eq!(parse_bound(text.as_bytes()), value, "{text:?}");
        }
    }

    #[test]
    fn seventeen_digits_print_as_in_c() {
        for (value, text) in [
            (0.1, "0.10000000000000001"),
            (3.0, "3"),
            (-2.5, "-2.5"),
            (1e17, "1e+17"),
            (1e16, "10000000000000000"),
            (123_456_789_012_345_680.0, "1.2345678901234568e+17"),
            (1e-5, "1.0000000000000001e-05"),
            (0.0001, "0.0001"),
            (1e300, "1.0000000000000001e+300"),
            (5e-324, "4.9406564584124654e-324"),
            (1e23, "9.9999999999999992e+22"),
            (-0.0, "-0"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format_17_digits(value), text);
        }
    }
}
