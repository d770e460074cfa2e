//! The commands about connections and the server, against replies recorded from Valkey 7.2.7.

mod facts;
mod fake;
mod many_clients;
mod transcript;
