//! Tessera: commands.
#![forbid(unsafe_code)]
