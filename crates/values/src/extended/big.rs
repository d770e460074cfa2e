//! Natural numbers of any size, as far as reading and printing floats needs them.

use std::cmp::Ordering;

/// A natural number. Limbs of 32 bits, the lowest first; the highest is not 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Big(Vec<u32>);

impl From<u128> for Big {
    fn from(mut value: u128) -> Big {
        let mut limbs = Vec::new();
        while value != 0 {
            limbs.push(value as u32);
            value >>= 32;
        }
        Big(limbs)
    }
}

impl Big {
    /// The number with these decimal digits.
    pub(super) fn from_decimal(digits: &[u8]) -> Big {
        let mut number = Big(Vec::new());
        for part in digits.chunks(9) {
            let value = part.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
            number.multiply_add(10u32.pow(part.len() as u32), value);
        }
        number
    }

    /// Times `factor` plus `addend`.
    pub(super) fn multiply_add(&mut self, factor: u32, addend: u32) {
        let mut carry = u64::from(addend);
        for limb in &mut self.0 {
            let sum = u64::from(*limb) * u64::from(factor) + carry;
            (*limb, carry) = (sum as u32, sum >> 32);
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    /// Times 10 to the power of `exponent`.
    pub(super) fn multiply_by_power_of_ten(&mut self, mut exponent: u32) {
        while exponent > 0 {
            let step = exponent.min(9);
            self.multiply_add(10u32.pow(step), 0);
            exponent -= step;
        }
    }

    /// How many bits it has.
    pub(super) fn bits(&self) -> usize {
        self.0.last().map_or(0, |highest| self.0.len() * 32 - highest.leading_zeros() as usize)
    }

    /// Times 2 to the power of `bits`.
    pub(super) fn shifted_left(&self, bits: usize) -> Big {
        if self.0.is_empty() {
            return self.clone();
        }
        let mut limbs = vec![0; bits / 32];
        let mut carry = 0;
        for limb in &self.0 {
            let shifted = u64::from(*limb) << (bits % 32) | carry;
            limbs.push(shifted as u32);
            carry = shifted >> 32;
        }
        if carry != 0 {
            limbs.push(carry as u32);
        }
        Big(limbs)
    }

    /// Its 128 highest bits, how many bits are below them, and whether any of those is set.
    pub(super) fn highest_bits(&self) -> (u128, usize, bool) {
        let below = self.bits().saturating_sub(128);
        let (limb, shift) = (below / 32, below % 32);
        let sticky = self.0.iter().take(limb).any(|limb| *limb != 0)
            || self.0.get(limb).is_some_and(|limb| limb & ((1 << shift) - 1) != 0);
        let at = |index: usize| u128::from(self.0.get(limb + index).copied().unwrap_or(0));
        let four = at(0) | at(1) << 32 | at(2) << 64 | at(3) << 96;
        let bits = if shift == 0 { four } else { four >> shift | at(4) << (128 - shift) };
        (bits, below, sticky)
    }

    /// Divides by `divisor`, where the quotient has no more than `bits` bits, 128 at most. Returns it and whether
    /// something is left over.
    pub(super) fn divide(mut self, divisor: &Big, bits: usize) -> (u128, bool) {
        let mut quotient = 0;
        for bit in (0..bits).rev() {
            let part = divisor.shifted_left(bit);
            if self.compare(&part) != Ordering::Less {
                self.subtract(&part);
                quotient |= 1 << bit;
            }
        }
        (quotient, !self.0.is_empty())
    }

    fn compare(&self, other: &Big) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes `other` away, which must not be larger.
    fn subtract(&mut self, other: &Big) {
        let mut borrow = false;
        for (index, limb) in self.0.iter_mut().enumerate() {
            let (rest, first) = limb.overflowing_sub(other.0.get(index).copied().unwrap_or(0));
            let (rest, second) = rest.overflowing_sub(u32::from(borrow));
            (*limb, borrow) = (rest, first || second);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }

    /// Its decimal digits.
    pub(super) fn to_decimal(&self) -> String {
        let (mut limbs, mut parts) = (self.0.clone(), Vec::new());
        while !limbs.is_empty() {
            let mut rest = 0u64;
            for limb in limbs.iter_mut().rev() {
                let value = rest << 32 | u64::from(*limb);
                (*limb, rest) = ((value / 1_000_000_000) as u32, value % 1_000_000_000);
            }
            parts.push(rest);
            while limbs.last() == Some(&0) {
                limbs.pop();
            }
        }
        let highest = parts.pop().unwrap_or(0);
        parts.iter().rev().fold(highest.to_string(), |text, part| format!("{text}{part:09}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of 1 to 127 bits with runs of both kinds of bits.
    fn samples() -> Vec<u128> {
        (1..127)
            .step_by(5)
            .flat_map(|bit| [1u128 << bit, (1 << bit) - 1, (1 << bit) + 1, ((u128::MAX / 7) >> bit).max(1)])
            .collect()
    }

    #[test]
    fn agrees_with_128_bits() {
        for value in samples() {
            let big = Big::from(value);
            assert_eq!(big.to_decimal(), value.to_string());
            assert_eq!(Big::from_decimal(value.to_string().as_bytes()), big);
            assert_eq!(big.bits(), 128 - value.leading_zeros() as usize);
            assert_eq!(big.highest_bits(), (value, 0, false));
            for divisor in samples() {
                let (quotient, rest) = big.clone().divide(&Big::from(divisor), 128);
                assert_eq!((quotient, rest), (value / divisor, value % divisor != 0), "{value} {divisor}");
            }
        }
    }

    #[test]
    fn shifts_and_powers() {
        let mut thousand = Big::from(1);
        thousand.multiply_by_power_of_ten(40);
        assert_eq!(thousand.to_decimal(), format!("1{}", "0".repeat(40)));
        let shifted = Big::from(5).shifted_left(200);
        assert_eq!((shifted.bits(), shifted.highest_bits()), (203, (5 << 125, 75, false)));
        let mut odd = shifted;
        odd.multiply_add(1, 1);
        assert_eq!(odd.highest_bits(), (5 << 125, 75, true));
    }
}
