//! PFSELFTEST: whether this machine does as the code says.

use super::{Cursor, HEADER_LEN_BYTES, HyperLogLogMut, REGISTERS_LEN, Representation, dense, element, empty};
use fastrand::Rng;

/// How often all registers are written and read.
const ROUNDS: usize = 100;
/// How many elements are added.
const ELEMENTS_LEN: u64 = 1_000_000;
/// The estimate's standard error is 1.04 divided by the square root of the number of registers; a run of bad luck is
/// not this many times worse.
const ERROR_MAX_TIMES: f64 = 6.0;

/// Tests registers, and estimates of up to a million elements, dense and sparse.
///
/// # Errors
/// What is wrong.
pub fn self_test(seed: u64, sparse_max_bytes: u64) -> Result<(), String> {
    let mut random = Rng::with_seed(seed);
    test_registers(&mut random)?;
    test_estimates(random.u64(..), sparse_max_bytes)
}

fn test_registers(random: &mut Rng) -> Result<(), String> {
    let (mut bytes, mut values) = (vec![0; dense::LEN_BYTES], vec![0; REGISTERS_LEN]);
    for _ in 0..ROUNDS {
        for (register, value) in values.iter_mut().enumerate() {
            *value = random.u8(..64);
            dense::set(&mut bytes, register, *value);
        }
        for (register, value) in values.iter().enumerate() {
            let found = dense::get(&bytes, register);
            if found != *value {
                return Err(format!("TESTFAILED Register {register} should be {value} but is {found}"));
            }
        }
    }
    Ok(())
}

fn test_estimates(salt: u64, sparse_max_bytes: u64) -> Result<(), String> {
    let (mut dense_bytes, mut sparse_bytes) = (empty(), empty());
    let corrupt = |_| "TESTFAILED corrupted without a cause".to_owned();
    let not = |_| "TESTFAILED an empty one is none".to_owned();
    HyperLogLogMut::new(&mut dense_bytes).map_err(not)?.make_dense().map_err(corrupt)?;
    let mut sparse = HyperLogLogMut::new(&mut sparse_bytes).map_err(not)?;
    let mut checkpoint = 1;
    for number in 1..=ELEMENTS_LEN {
        let (register, rank) = element::register_and_rank(&(number ^ salt).to_le_bytes());
        dense::raise(&mut dense_bytes[HEADER_LEN_BYTES..], register, rank);
        sparse.raise(register, rank, sparse_max_bytes, &mut Cursor::default()).map_err(corrupt)?;
        if number != checkpoint {
            continue;
        }
        checkpoint *= 10;
        let sparse = sparse.as_ref();
        if number < sparse_max_bytes / 2 && sparse.representation() != Representation::Sparse {
            return Err("TESTFAILED sparse encoding not used".to_owned());
        }
        let dense = HyperLogLogMut::new(&mut dense_bytes).map_err(not)?;
        let estimate = dense.as_ref().estimate().map_err(corrupt)?;
        if estimate != sparse.estimate().map_err(corrupt)? {
            return Err("TESTFAILED dense/sparse disagree".to_owned());
        }
        let standard_error = 1.04 / (REGISTERS_LEN as f64).sqrt();
        let error_max = (standard_error * ERROR_MAX_TIMES * number as f64).ceil() as u64;
        let error = number.abs_diff(estimate);
        if error > error_max {
            return Err(format!("TESTFAILED Too big error. card:{number} abserr:{error}"));
        }
    }
    Ok(())
}
