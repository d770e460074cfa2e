//! Tessera: routing.
#![forbid(unsafe_code)]
