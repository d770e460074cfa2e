//! Tessera: sim.
#![forbid(unsafe_code)]
