//! Tessera: drivers.
