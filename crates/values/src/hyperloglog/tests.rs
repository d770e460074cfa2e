use super::*;
use fastrand::Rng;

const DEFAULT_SPARSE_MAX_BYTES: u64 = 3000;

fn add(bytes: &mut Vec<u8>, element: &str, sparse_max_bytes: u64) -> bool {
    HyperLogLogMut::new(bytes).unwrap().add(element.as_bytes(), sparse_max_bytes).unwrap()
}

fn registers_of(bytes: &[u8]) -> Registers {
    let mut registers = Registers::default();
    HyperLogLog::new(bytes).unwrap().merge_into(&mut registers).unwrap();
    registers
}

/// Recorded from Valkey 7.2.7.
#[test]
fn runs_are_those_of_redis() {
    let mut bytes = empty();
    for element in ["a", "b", "c", "foo", "bar"] {
        assert!(add(&mut bytes, element, DEFAULT_SPARSE_MAX_BYTES));
    }
    let runs = "Z:7348 v:5,1 Z:1087 v:1,1 Z:1570 v:1,1 Z:2703 v:2,1 Z:3068 v:1,1 Z:603";
    assert_eq!(HyperLogLog::new(&bytes).unwrap().decode().as_deref(), Some(runs));
}

/// Numbers of elements `e:1` and so on, with estimate, length and representation recorded from Valkey 7.2.7.
#[test]
fn estimates_are_those_of_redis() {
    use Representation::{Dense, Sparse};
    let mut bytes = empty();
    let mut number = 0;
    for (len, estimate, len_bytes, representation) in [
        (1, 1, 21, Sparse),
        (10, 10, 48, Sparse),
        (100, 100, 279, Sparse),
        (1000, 995, 1881, Sparse),
        (5000, 5029, 12_304, Dense),
        (100_000, 100_342, 12_304, Dense),
        (1_000_000, 1_004_277, 12_304, Dense),
    ] {
        while number < len {
            number += 1;
            add(&mut bytes, &format!("e:{number}"), DEFAULT_SPARSE_MAX_BYTES);
        }
        let log = HyperLogLog::new(&bytes).unwrap();
        assert_eq!(log.estimate(), Ok(estimate), "{len}");
        assert_eq!((bytes.len(), log.representation()), (len_bytes, representation), "{len}");
        assert_eq!(registers_of(&bytes).estimate(), estimate);
    }
}

/// Registers as an array, and the representations against it.
#[test]
fn representations_hold_the_same_registers() {
    for seed in 0..30 {
        let mut random = Rng::with_seed(seed);
        let sparse_max_bytes = random.u64(20..20_000);
        let (mut bytes, mut model) = (empty(), Registers::default());
        let few_registers = random.usize(1..REGISTERS_LEN);
        for _ in 0..random.usize(..4000) {
            let register = random.usize(..few_registers);
            let value = 1 + random.u8(..4) * random.u8(..13);
            let raised = HyperLogLogMut::new(&mut bytes).unwrap().raise(
                register,
                value,
                sparse_max_bytes,
                &mut Cursor::default(),
            );
            assert_eq!(raised, Ok(model[register] < value));
            model[register] = model[register].max(value);
        }
        assert_eq!(registers_of(&bytes), model);
        let log = HyperLogLog::new(&bytes).unwrap();
        assert_eq!(log.estimate(), Ok(model.estimate()));
        if log.representation() == Representation::Sparse {
            assert!(bytes.len() as u64 <= sparse_max_bytes);
            let mut dense = bytes.clone();
            assert_eq!(HyperLogLogMut::new(&mut dense).unwrap().make_dense(), Ok(true));
            assert_eq!(registers_of(&dense), model);
        }
    }
}

/// One pass leaves the very bytes that a search from the beginning for each register leaves.
#[test]
fn many_registers_are_raised_in_one_pass() {
    for seed in 0..60 {
        let mut random = Rng::with_seed(seed);
        let mut bytes = empty();
        let mut registers = Registers::default();
        let span = random.usize(1..2000);
        for _ in 0..random.usize(..600) {
            let value = random.u8(1..4);
            registers[random.usize(..span)] = value;
            let register = random.usize(..span);
            HyperLogLogMut::new(&mut bytes)
                .unwrap()
                .raise(register, random.u8(1..4), 5000, &mut Cursor::default())
                .unwrap();
        }
        let mut one_pass = bytes.clone();
        HyperLogLogMut::new(&mut one_pass).unwrap().raise_all(&registers, 5000);
        for (register, value) in registers.iter().enumerate().filter(|(_, value)| **value > 0) {
            HyperLogLogMut::new(&mut bytes)
                .unwrap()
                .raise(register, *value, 5000, &mut Cursor::default())
                .unwrap();
        }
        assert_eq!(one_pass, bytes, "seed {seed}");
    }
}

#[test]
fn a_rank_that_no_run_can_hold_makes_it_dense() {
    let mut bytes = empty();
    let mut log = HyperLogLogMut::new(&mut bytes).unwrap();
    assert_eq!(log.raise(7, 32, 3000, &mut Cursor::default()), Ok(true));
    assert_eq!(log.as_ref().representation(), Representation::Sparse);
    assert_eq!(log.raise(7, 33, 3000, &mut Cursor::default()), Ok(true));
    assert_eq!(log.as_ref().representation(), Representation::Dense);
    assert_eq!(registers_of(&bytes)[7], 33);
}

#[test]
fn the_estimate_is_kept_until_a_register_rises() {
    let mut bytes = empty();
    assert_eq!(HyperLogLog::new(&bytes).unwrap().cached_estimate(), Some(0));
    add(&mut bytes, "a", 3000);
    assert_eq!(HyperLogLog::new(&bytes).unwrap().cached_estimate(), None);
    HyperLogLogMut::new(&mut bytes).unwrap().cache_estimate(1);
    assert!(!add(&mut bytes, "a", 3000));
    assert_eq!(HyperLogLog::new(&bytes).unwrap().cached_estimate(), Some(1));
}

fn damage(bytes: &mut Vec<u8>, random: &mut Rng) {
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=bytes.len());
        match random.u8(..5) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.u8(..)),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
            _ if at < bytes.len() => bytes[at] = random.u8(..),
            _ => bytes.extend((0..random.usize(..40)).map(|_| random.u8(..))),
        }
    }
    // Else nearly all damage in front is found at once.
    if random.u8(..8) > 0 && bytes.len() > HEADER_LEN_BYTES {
        bytes[..MAGIC.len()].copy_from_slice(MAGIC);
        bytes[REPRESENTATION_AT] %= 2;
    }
}

/// Whatever the bytes are, nothing panics, and a change that fails has changed nothing.
#[test]
fn damaged_strings_do_no_harm() {
    let mut random = Rng::with_seed(1);
    let (mut corrupt, mut sound) = (0, 0);
    for _ in 0..2000 {
        let mut bytes = empty();
        for _ in 0..random.usize(..60) {
            add(&mut bytes, &random.u64(..).to_string(), 3000);
        }
        if random.u8(..10) == 0 {
            HyperLogLogMut::new(&mut bytes).unwrap().make_dense().unwrap();
        }
        damage(&mut bytes, &mut random);
        let Ok(log) = HyperLogLog::new(&bytes) else { continue };
        log.decode();
        let estimate = log.estimate();
        let merged = log.merge_into(&mut Registers::default());
        assert!(estimate.is_err() || merged.is_ok());
        let mut dense = bytes.clone();
        let made = HyperLogLogMut::new(&mut dense).unwrap().make_dense();
        assert_eq!(made.is_err(), merged.is_err());
        if made.is_err() {
            assert_eq!(dense, bytes);
        }
        let mut all = bytes.clone();
        let registers = Registers::default();
        HyperLogLogMut::new(&mut all).unwrap().raise_all(&registers, 3000);
        assert_eq!(all, bytes);
        for _ in 0..10 {
            let before = bytes.clone();
            let sparse_max_bytes = random.u64(..600);
            let mut log = HyperLogLogMut::new(&mut bytes).unwrap();
            match log.raise(
                random.usize(..REGISTERS_LEN),
                random.u8(1..52),
                sparse_max_bytes,
                &mut Cursor::default(),
            ) {
                Err(Corrupt) => {
                    assert_eq!(bytes, before);
                    corrupt += 1;
                }
                Ok(_) => sound += 1,
            }
        }
        let mut log = HyperLogLogMut::new(&mut bytes).unwrap();
        log.raise_all(&Registers::default(), 3000);
        log.cache_estimate(u64::MAX);
        log.mark_out_of_date();
    }
    assert!(corrupt > 500 && sound > 500, "{corrupt} corrupt, {sound} sound");
}

#[test]
fn the_self_test_succeeds() {
    assert_eq!(self_test(1, DEFAULT_SPARSE_MAX_BYTES), Ok(()));
}
