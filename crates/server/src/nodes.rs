//! The threads of the nodes. They start in two steps: first each makes what the system may refuse to so many of them
//! (its ring, its executor), and only when all have is there no way back to another driver.

use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use tessera_config::IoDriver;
use tessera_drivers::clock::SystemClock;
use tessera_drivers::disk::{RingDisk, ThreadDisk};
use tessera_drivers::epoll::EpollNetwork;
use tessera_drivers::executor::{NodeThread, Seat, start_glommio, start_plain};
use tessera_drivers::listen::{Listener, ListenerNews};
use tessera_drivers::uring::{UringNetwork, UringOptions, UringParts};
use tessera_drivers::{Socket, Waker, probe};
use tessera_node::mesh::Mesh;
use tessera_node::notes::Note;
use tessera_node::{Node, Shared};

/// Which driver is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Uring,
    Epoll,
}

impl Driver {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Driver::Uring => "io_uring",
            Driver::Epoll => "epoll",
        }
    }
}

/// What one node is made of.
pub(crate) struct Place {
    pub(crate) shared: Arc<Shared>,
    pub(crate) mesh: Mesh<Note<Socket>>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) news: ListenerNews,
    pub(crate) clock: SystemClock,
}

/// A node's thread that waits for its place.
pub(crate) struct Prepared {
    thread: NodeThread,
    hand_over: mpsc::Sender<Place>,
}

impl Prepared {
    /// Gives the node its place, and waits until it has begun.
    pub(crate) fn begin(self, place: Place) -> io::Result<NodeThread> {
        // Should the thread be gone, then waiting for it tells why.
        let _ = self.hand_over.send(place);
        self.thread.wait_started()
    }
}

/// Prepares a thread for each of `seats`, with `driver` or, if that is left open, with one that so many can
/// have.
pub(crate) fn prepare(driver: IoDriver, seats: &[Option<usize>]) -> Result<(Driver, Vec<Prepared>), String> {
    if driver != IoDriver::Epoll {
        let missing = match probe::probe() {
            Ok(_) => match prepare_all(Driver::Uring, seats) {
                Ok(prepared) => return Ok((Driver::Uring, prepared)),
                Err(error) => probe::explain_start(&error, seats.len()),
            },
            Err(missing) => missing.to_string(),
        };
        if driver == IoDriver::Uring {
            return Err(format!("The io_uring driver cannot run: {missing}"));
        }
        log::warn!("Using the epoll driver: {missing}.");
    }
    let prepared =
        prepare_all(Driver::Epoll, seats).map_err(|error| format!("Can't start the shards: {error}"))?;
    Ok((Driver::Epoll, prepared))
}

fn prepare_all(driver: Driver, seats: &[Option<usize>]) -> io::Result<Vec<Prepared>> {
    let mut all = Vec::new();
    for (index, cpu) in seats.iter().enumerate() {
        match prepare_one(driver, Seat { name: format!("shard-{index}"), cpu: *cpu }) {
            Ok(prepared) => all.push(prepared),
            Err(error) => {
                // What they hold is free again when they have ended.
                for Prepared { thread, hand_over } in all {
                    drop(hand_over);
                    let _ = thread.join();
                }
                return Err(error);
            }
        }
    }
    Ok(all)
}

fn prepare_one(driver: Driver, seat: Seat) -> io::Result<Prepared> {
    let mut seed = [0u8; 8];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let seed = u64::from_ne_bytes(seed);
    let (hand_over, places) = mpsc::channel::<Place>();
    let (ready, is_ready) = mpsc::channel::<()>();
    let thread = match driver {
        Driver::Uring => start_glommio(seat, move |core| {
            let parts = UringParts::new(UringOptions::default())?;
            let Place { shared, mesh, listeners, news, clock } = take_place(ready, &places)?;
            let network = UringNetwork::with(parts, listeners, Waker::new()?, core.sleeper())?;
            let disk = Box::new(RingDisk::new(&core.background()));
            Ok(Node::new(network.following(news), disk, clock, shared, mesh, seed))
        }),
        Driver::Epoll => start_plain(seat, move || {
            let Place { shared, mesh, listeners, news, clock } = take_place(ready, &places)?;
            let waker = Waker::new()?;
            let disk = Box::new(ThreadDisk::new(waker.clone()));
            let network = EpollNetwork::new(listeners, waker)?.following(news);
            Ok(Node::new(network, disk, clock, shared, mesh, seed))
        }),
    }?;
    match is_ready.recv() {
        Ok(()) => Ok(Prepared { thread, hand_over }),
        Err(_) => Err(thread.join().err().unwrap_or_else(|| io::Error::other("a shard ended at once"))),
    }
}

/// Tells that all is ready, and waits for the place.
fn take_place(ready: mpsc::Sender<()>, places: &mpsc::Receiver<Place>) -> io::Result<Place> {
    let _ = ready.send(());
    places.recv().map_err(|_| io::Error::other("the start was given up"))
}
