//! Reading extended floats: C's `strtold` within the bounds that Redis sets.

use super::big::Big;
use super::{EXPONENT_MIN, Extended};

/// Longest text that is looked at, in bytes.
const TEXT_MAX_LEN_BYTES: usize = 5 * 1024 - 1;
/// Exponents are read up to here: far beyond any number that is not 0 or infinite, whatever digits it has.
const EXPONENT_BOUND: i32 = 1_000_000;

impl Extended {
    /// Reads a number: decimal or (behind `0x`) hexadecimal digits with a point, an exponent, a sign; or an
    /// infinity by name. `None` for anything else, for 5,120 bytes and more, for numbers that are too large, and
    /// for those so small that they would become 0.
    pub fn parse(text: &[u8]) -> Option<Extended> {
        if text.len() > TEXT_MAX_LEN_BYTES {
            return None;
        }
        let (negative, number) = match text {
            [b'-', number @ ..] => (true, number),
            [b'+', number @ ..] => (false, number),
            number => (false, number),
        };
        let parsed = match number {
            [b'0', b'x' | b'X', digits @ ..] => parse_hexadecimal(negative, digits)?,
            [b'0'..=b'9' | b'.', ..] => parse_decimal(negative, number)?,
            name if name.eq_ignore_ascii_case(b"inf") || name.eq_ignore_ascii_case(b"infinity") => {
                return Some(Extended::NotFinite);
            }
            _ => return None,
        };
        // Only a name may stand for an infinity.
        (parsed != Extended::NotFinite).then_some(parsed)
    }
}

/// The digits of a number without leading zeros, and the exponent of the last in digits.
struct Parts {
    digits: Vec<u8>,
    scale: i32,
    exponent: i32,
}

/// Takes a number apart. `mark` begins the exponent.
fn take_apart(text: &[u8], is_digit: fn(&u8) -> bool, mark: u8) -> Option<Parts> {
    let end = text.iter().position(|byte| byte | 0x20 == mark).unwrap_or(text.len());
    let exponent = match text.get(end + 1..) {
        None => 0,
        Some(exponent) => parse_exponent(exponent)?,
    };
    let mantissa = &text[..end];
    let point = mantissa.iter().position(|byte| *byte == b'.');
    let (whole, fraction) = match point {
        None => (mantissa, b"".as_slice()),
        Some(point) => (&mantissa[..point], &mantissa[point + 1..]),
    };
    if whole.is_empty() && fraction.is_empty() || !whole.iter().chain(fraction).all(is_digit) {
        return None;
    }
    let mut digits: Vec<u8> =
        whole.iter().chain(fraction).copied().skip_while(|digit| *digit == b'0').collect();
    let mut scale = -(fraction.len() as i32);
    while digits.pop_if(|digit| *digit == b'0').is_some() {
        scale += 1;
    }
    Some(Parts { digits, scale, exponent })
}

fn parse_exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value =
        digits.iter().fold(0, |value: i32, digit| (value * 10 + i32::from(digit - b'0')).min(EXPONENT_BOUND));
    Some(if negative { -value } else { value })
}

/// A number that is not 0 must not have become 0.
fn not_vanished(number: Extended) -> Option<Extended> {
    match number {
        Extended::Finite { mantissa: 0, .. } => None,
        number => Some(number),
    }
}

fn parse_decimal(negative: bool, text: &[u8]) -> Option<Extended> {
    let Parts { digits, scale, exponent } = take_apart(text, u8::is_ascii_digit, b'e')?;
    if digits.is_empty() {
        return Some(Extended::finite(negative, 0, EXPONENT_MIN));
    }
    let scale = scale + exponent;
    let len = digits.len() as i32;
    // The number is at least 10^(len - 1 + scale), and below ten times that. The largest there is begins with
    // 1.18 * 10^4932; half of the smallest, which would be rounded to 0, is 1.8 * 10^-4951.
    if len - 1 + scale > 4932 {
        return Some(Extended::NotFinite);
    }
    if len + scale < -4950 {
        return None;
    }
    if let Some(number) = parse_short_decimal(negative, &digits, scale) {
        return Some(number);
    }
    let mut numerator = Big::from_decimal(&digits);
    if scale >= 0 {
        numerator.multiply_by_power_of_ten(scale.unsigned_abs());
        let (bits, below, sticky) = numerator.highest_bits();
        return Some(Extended::rounded(negative, bits, below as i32, sticky));
    }
    let mut divisor = Big::from(1);
    divisor.multiply_by_power_of_ten(scale.unsigned_abs());
    // The quotient gets 67 or 68 bits: more than the 66 that rounding needs.
    let shift = 67 + divisor.bits() as i32 - numerator.bits() as i32;
    if shift >= 0 {
        numerator = numerator.shifted_left(shift.unsigned_abs() as usize);
    } else {
        divisor = divisor.shifted_left(shift.unsigned_abs() as usize);
    }
    let (quotient, rest) = numerator.divide(&divisor, 68);
    not_vanished(Extended::rounded(negative, quotient, -shift, rest))
}

/// The numbers that people write, and that sums of them become: up to 38 digits, not far from the point.
fn parse_short_decimal(negative: bool, digits: &[u8], scale: i32) -> Option<Extended> {
    if digits.len() + scale.max(0) as usize > 38 || scale < -18 {
        return None;
    }
    let value = digits.iter().fold(0u128, |value, digit| value * 10 + u128::from(digit - b'0'));
    if scale >= 0 {
        return Some(Extended::rounded(negative, value * 10u128.pow(scale.unsigned_abs()), 0, false));
    }
    let power = u128::from(10u64.pow(scale.unsigned_abs()));
    // 128 bits by 60 at most: at least 68 remain.
    let shift = value.leading_zeros();
    let numerator = value << shift;
    Some(Extended::rounded(negative, numerator / power, -(shift as i32), numerator % power != 0))
}

fn parse_hexadecimal(negative: bool, text: &[u8]) -> Option<Extended> {
    let Parts { digits, scale, exponent } = take_apart(text, u8::is_ascii_hexdigit, b'p')?;
    if digits.is_empty() {
        return Some(Extended::finite(negative, 0, EXPONENT_MIN));
    }
    let (first, rest) = digits.split_at(digits.len().min(32));
    let mantissa = first
        .iter()
        .fold(0u128, |value, digit| value << 4 | u128::from(char::from(*digit).to_digit(16).unwrap_or(0)));
    // Up to 5,119 digits of four bits and an exponent of a million stay far within 32 bits.
    let exponent = exponent + 4 * (scale + rest.len() as i32);
    // The last digit is not 0, so if some are left out they are more than nothing.
    not_vanished(Extended::rounded(negative, mantissa, exponent, !rest.is_empty()))
}
