//! Tessera: config.
#![forbid(unsafe_code)]
