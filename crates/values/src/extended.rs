//! Numbers of the x87's 80-bit extended format, in software.
//!
//! INCRBYFLOAT computes in C's `long double`, and clients see every digit of the result. On x86-64 that is a
//! 64-bit mantissa and a 15-bit exponent, rounded to the nearest, ties to even. Reading and printing are exact:
//! by integers of 128 bits where they suffice, by long arithmetic elsewhere.

mod big;
mod parse;

use big::Big;
use std::fmt::Write;
use std::ops::Add;

/// Exponent of the lowest mantissa bit of the smallest numbers, of which many have no full mantissa.
const EXPONENT_MIN: i32 = -16445;
/// Exponent of the lowest mantissa bit of the largest numbers.
const EXPONENT_MAX: i32 = 16320;
/// Digits printed behind the point.
const FRACTION_DIGITS: usize = 17;
const TEN_TO_FRACTION_DIGITS: u64 = 10u64.pow(FRACTION_DIGITS as u32);

/// A number of 80 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extended {
    /// `mantissa` times 2 to the power of `exponent`. The mantissa's highest bit is set, or the exponent is the
    /// least there is.
    Finite {
        /// Its sign; zero has one, too.
        negative: bool,
        /// All 64 bits, the leading one included.
        mantissa: u64,
        /// Of the mantissa's lowest bit: -16,445 to 16,320.
        exponent: i32,
    },
    /// An infinity, or no number at all.
    NotFinite,
}

impl Extended {
    /// Zero.
    pub const ZERO: Extended = Extended::Finite { negative: false, mantissa: 0, exponent: EXPONENT_MIN };

    /// The number nearest to `mantissa` times 2 to the power of `exponent`. `sticky`: a little more than that, by
    /// less than the mantissa's lowest bit, which then must have more than 65 bits in use.
    fn rounded(negative: bool, mantissa: u128, exponent: i32, sticky: bool) -> Extended {
        let used_bits = (128 - mantissa.leading_zeros()) as i32;
        // How many bits must go: those beyond 64, or more where the exponent would be too small.
        let shift = (used_bits - 64).max(EXPONENT_MIN - exponent);
        debug_assert!(!sticky || shift > 1);
        if mantissa == 0 {
            return Extended::Finite { negative, mantissa: 0, exponent: EXPONENT_MIN };
        }
        let exponent = exponent + shift;
        let kept = if shift <= 0 {
            (mantissa << -shift) as u64
        } else if shift > 128 {
            0
        } else {
            let kept = mantissa.checked_shr(shift as u32).unwrap_or(0) as u64;
            let half = 1u128 << (shift - 1);
            let dropped = mantissa & (half | (half - 1));
            let up = dropped > half || dropped == half && (sticky || kept & 1 == 1);
            match kept.checked_add(u64::from(up)) {
                Some(kept) => kept,
                None => return Extended::finite(negative, 1 << 63, exponent + 1),
            }
        };
        Extended::finite(negative, kept, exponent)
    }

    fn finite(negative: bool, mantissa: u64, exponent: i32) -> Extended {
        if exponent > EXPONENT_MAX {
            return Extended::NotFinite;
        }
        let exponent = if mantissa == 0 { EXPONENT_MIN } else { exponent };
        Extended::Finite { negative, mantissa, exponent }
    }

    /// This many times the number, rounded.
    pub fn times(self, factor: u64) -> Extended {
        match self {
            Extended::Finite { negative, mantissa, exponent } => {
                Extended::rounded(negative, u128::from(mantissa) * u128::from(factor), exponent, false)
            }
            Extended::NotFinite => self,
        }
    }

    /// The least integer that is not below the number, or the nearest there is of 64 bits. `None` for what is not
    /// finite.
    pub fn ceil(self) -> Option<i64> {
        let Extended::Finite { negative, mantissa, exponent } = self else { return None };
        let (mantissa, shift) = (i128::from(mantissa), exponent.unsigned_abs());
        let magnitude = match exponent {
            65.. if mantissa > 0 => i128::MAX,
            65.. => 0,
            0..65 => mantissa << shift.min(63),
            _ if shift >= 64 => i128::from(!negative && mantissa > 0),
            _ => (mantissa >> shift) + i128::from(!negative && mantissa & ((1 << shift) - 1) > 0),
        };
        let value = if negative { -magnitude } else { magnitude };
        Some(value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// The decimal digits: 17 behind the point, zeros at the end left off. `None` for what is not finite. (C:
    /// `%.17Lf`.) Up to 4,952 bytes.
    pub fn format(&self) -> Option<String> {
        let Extended::Finite { negative, mantissa, exponent } = *self else { return None };
        let mut text = String::with_capacity(24);
        if negative {
            text.push('-');
        }
        let written = match exponent {
            65.. => {
                text.push_str(&Big::from(u128::from(mantissa)).shifted_left(exponent as usize).to_decimal());
                Ok(())
            }
            0..65 => write!(text, "{}", u128::from(mantissa) << exponent),
            _ => write_fraction(&mut text, mantissa, exponent.unsigned_abs()),
        };
        written.ok()?;
        if text == "-0" {
            text.remove(0);
        }
        Some(text)
    }
}

/// Writes `mantissa` / 2^`shift`, rounded to 17 digits behind the point.
fn write_fraction(text: &mut String, mantissa: u64, shift: u32) -> std::fmt::Result {
    let mut whole = mantissa.checked_shr(shift).unwrap_or(0);
    let fraction = if shift < 64 { mantissa & ((1 << shift) - 1) } else { mantissa };
    // Below 2^121, so that shifted by more than that it is less than half of the last digit.
    let product = u128::from(fraction) * u128::from(TEN_TO_FRACTION_DIGITS);
    let mut digits = 0;
    if shift <= 121 {
        digits = (product >> shift) as u64;
        let half = 1u128 << (shift - 1);
        let dropped = product & (half | (half - 1));
        digits += u64::from(dropped > half || dropped == half && digits & 1 == 1);
        if digits == TEN_TO_FRACTION_DIGITS {
            (whole, digits) = (whole + 1, 0);
        }
    }
    write!(text, "{whole}")?;
    if digits != 0 {
        write!(text, ".{digits:0FRACTION_DIGITS$}")?;
        text.truncate(text.trim_end_matches('0').len());
    }
    Ok(())
}

impl Add for Extended {
    type Output = Extended;

    fn add(self, other: Extended) -> Extended {
        let (
            Extended::Finite { negative, mantissa, exponent },
            Extended::Finite { negative: other_negative, mantissa: other_mantissa, exponent: other_exponent },
        ) = (self, other)
        else {
            return Extended::NotFinite;
        };
        if (other_exponent, other_mantissa) > (exponent, mantissa) {
            return other + self;
        }
        // 63 bits below the larger number, and one above it for the carry.
        let larger = u128::from(mantissa) << 63;
        let smaller = u128::from(other_mantissa) << 63;
        let shift = (exponent - other_exponent) as u32;
        let shifted = smaller.checked_shr(shift).unwrap_or(0);
        let lost = u128::from(shifted.checked_shl(shift).unwrap_or(0) != smaller);
        // Bits are lost only where the smaller number is far below the larger, so its lowest bit is as good as
        // all that it stands for: it decides that something is there.
        let shifted = shifted | lost;
        let exponent = exponent - 63;
        if negative == other_negative {
            Extended::rounded(negative, larger + shifted, exponent, false)
        } else if larger == shifted {
            Extended::ZERO
        } else {
            Extended::rounded(negative, larger - shifted, exponent, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Extended;

    #[test]
    fn products_are_rounded_up_to_integers() {
        let thousandfold =
            |text: &str| Extended::parse(text.as_bytes()).and_then(|number| number.times(1000).ceil());
        for (text, expected) in [
            ("0", 0),
            ("-0", 0),
            ("1", 1000),
            ("0.001", 1),
            ("0.0011", 2),
            ("1e-4000", 1),
            ("-0.0009", 0),
            // A thousand times that is a little more than -1.
            ("-0.001", 0),
            ("-0.0011", -1),
            ("-1.5", -1500),
            ("9223372036854775.807", i64::MAX),
            ("9223372036854775.8", 9_223_372_036_854_775_800),
            ("1e30", i64::MAX),
            ("-1e30", i64::MIN),
            ("-1e4000", i64::MIN),
        ] {
            assert_eq!(thousandfold(text), Some(expected), "{text}");
        }
        assert_eq!(thousandfold("1e4932"), None);
    }
}
