//! From registers to a number of elements: Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
//! sketches", algorithm 6. The steps are in the order that Redis takes them in: the estimate is rounded only once, at
//! the end, but to the last digit.

use super::{RANK_MAX, REGISTERS_LEN};

/// How many registers have each value there may be.
pub type Histogram = [u32; 64];

/// 1 / (2 ln 2), which Redis has with three digits more than a double holds.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// About how many different elements lead to such registers. Of values that no element gives, nothing is taken into
/// account.
pub fn estimate(histogram: &Histogram) -> u64 {
    let len = REGISTERS_LEN as f64;
    let mut sum = len * tau((len - f64::from(histogram[RANK_MAX])) / len);
    for registers in histogram[1..RANK_MAX].iter().rev() {
        sum += f64::from(*registers);
        sum *= 0.5;
    }
    sum += len * sigma(f64::from(histogram[0]) / len);
    let estimate = (ALPHA * len * len / sum).round();
    // What rounding to a signed integer leaves of a number that is too large for it. Only registers that were made up
    // come to that.
    if estimate < i64::MAX as f64 { estimate as u64 } else { 1 << 63 }
}

/// For registers that are still zero, of which there is this share.
fn sigma(mut share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut sum) = (1.0, share);
    loop {
        share *= share;
        let before = sum;
        sum += share * power;
        power += power;
        if before == sum {
            return sum;
        }
    }
}

/// For registers that cannot rise further: the others have this share.
fn tau(mut share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut power, mut sum) = (1.0, 1.0 - share);
    loop {
        share = share.sqrt();
        let before = sum;
        power *= 0.5;
        sum -= (1.0 - share) * (1.0 - share) * power;
        if before == sum {
            return sum / 3.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::estimate;
    use crate::hyperloglog::REGISTERS_LEN;

    /// Recorded from Valkey 7.2.7, which prints it as the lowest signed number.
    #[test]
    fn registers_that_no_elements_lead_to_come_to_something() {
        for value in [50, 51, 52, 63] {
            let mut histogram = [0; 64];
            histogram[value] = REGISTERS_LEN as u32;
            assert_eq!(estimate(&histogram), 1 << 63, "{value}");
        }
    }
}
