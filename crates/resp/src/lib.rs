//! Tessera: resp.
#![forbid(unsafe_code)]
