//! Tessera: keyspace.
