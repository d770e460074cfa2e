//! Whole nodes on a virtual network, disk and clock, in one thread, from one seed.
//!
//! The nodes are those of the server, to the line: [`tessera_node::Node`] takes its network, disk and clock from
//! outside. Here these are a [`kernel`] of queues, a [`storage`] that fails and crashes when told to, and a [`clock`]
//! that moves when the scheduler says so. A [`world`] gives nodes, kernel and clients their turns by chance. A seed
//! reproduces everything.
//!
//! [`scenarios`] says what is checked.
#![forbid(unsafe_code)]

pub mod client;
pub mod clock;
pub mod consistency;
pub mod directory;
pub mod disk;
pub mod effects;
pub mod generate;
pub mod kernel;
pub mod leavers;
pub mod memory;
pub mod mortal;
pub mod neighbours;
pub mod network;
pub mod queues;
pub mod races;
pub mod replica;
pub mod scenarios;
pub mod script;
pub mod snapshots;
pub mod squeeze;
pub mod storage;
pub mod streams;
pub mod system;
pub mod table;
pub mod weather;
pub mod world;

pub use world::World;
