//! Tessera: values.
