//! All registers, a byte for each.

use super::{REGISTERS_LEN, estimate};
use std::ops::{Deref, DerefMut};

/// What several HyperLogLogs come to together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registers(Box<[u8]>);

impl Default for Registers {
    /// All zero.
    fn default() -> Registers {
        Registers(vec![0; REGISTERS_LEN].into_boxed_slice())
    }
}

impl Deref for Registers {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for Registers {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl Registers {
    /// How many different elements lead to them, about.
    pub fn estimate(&self) -> u64 {
        let mut histogram = [0; 64];
        for value in self.iter() {
            histogram[usize::from(value % 64)] += 1;
        }
        estimate::estimate(&histogram)
    }
}
