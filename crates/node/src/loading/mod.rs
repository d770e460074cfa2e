//! Loading what was saved, at the start, and again when DEBUG RELOAD wants that.
//!
//! Node 0 finds out what there is ([`finding`]) and tells all nodes. Each reads its share of the files ([`reader`]),
//! and sends every key to the node that owns its slot now, however many shards wrote the files ([`entries`]). When a
//! node has heard from all others that they have sent everything, it has everything; when node 0 has heard that from
//! all, clients are served. Until then they are told that the server is loading. What is loaded again comes when all
//! clients are held, see `snapshot/reload.rs`.
//!
//! [`Core`](crate::core::Core) has the [`state`]; [`planning`] begins it, [`turn`] goes on with it and ends it.

mod entries;
pub mod finding;
pub(crate) mod manifest;
pub(crate) mod plan;
mod planning;
mod progress;
pub(crate) mod reader;
mod state;
mod turn;

pub use progress::LoadingProgress;
pub(crate) use state::Loading;
