//! Benchmarks of Tessera.
