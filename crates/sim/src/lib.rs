//! Whole nodes on a virtual network and clock, in one thread, from one seed.
//!
//! The nodes are those of the server, to the line: [`tessera_node::Node`] is generic over what carries its bytes and
//! what tells it the time. Here that is a [`kernel`] of queues, a [`clock`] that moves when the scheduler says so, and a
//! [`world`] that gives nodes, kernel and clients their turns by chance. A seed reproduces everything.
//!
//! [`scenarios`] says what is checked.
#![forbid(unsafe_code)]

pub mod client;
pub mod clock;
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
pub mod weather;
pub mod world;

pub use world::World;
