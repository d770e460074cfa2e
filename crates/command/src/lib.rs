//! Tessera: command.
#![forbid(unsafe_code)]
