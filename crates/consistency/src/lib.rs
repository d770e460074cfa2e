//! Whether what the clients of a store were told is what one order of their transactions leads to, in which no
//! transaction comes before one that had ended when it began: *strict serializability*.
//!
//! Clients work in ways that tell the order of what they wrote ([`work`]): they append elements that nobody else
//! appends to lists, which others read, and give registers values that nobody else gives them. From that follows which
//! transaction has come before which ([`graph`]); if some come before each other, there is no such order. This is how
//! Elle does it (Kingsbury, Alvaro: "Elle: Inferring Isolation Anomalies from Experimental Observations", 2020; Adya,
//! "Weak Consistency: A Generalized Theory and Optimistic Implementations for Distributed Transactions", 1999, has the
//! names of the dependencies).
//!
//! This crate shares no code with what it looks at. It neither reads a clock nor sends anything, so that the simulator
//! can use it as well as real connections.
#![forbid(unsafe_code)]

pub mod fractured;
pub mod graph;
pub mod history;
pub mod lists;
pub mod registers;
pub mod resp;
pub mod work;

pub use history::{History, Step, Transaction};
