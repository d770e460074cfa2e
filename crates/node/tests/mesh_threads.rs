//! Channels and doorbells between real threads, for the thread sanitizer above all: see docs/fuzzing.md.
//!
//! Each thread sends every other one numbered replies in batches, and notes, and sleeps when there is nothing to do
//! until it is rung. Whatever is lost, doubled, overtaken or slept over ends the test.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use tessera_node::mesh::Mesh;
use tessera_node::network::Wake;
use tessera_node::notes::{ConnectionNote, Note};
use tessera_routing::Ticket;

const NODES: usize = 4;
/// Longer than any sleep that ends because of a ring; one that ends because of this was slept over.
const SLEEP_MAX: Duration = Duration::from_secs(20);

/// A sleeping place, as a driver's eventfd is one.
#[derive(Default)]
struct Bed {
    rung: Mutex<bool>,
    changed: Condvar,
}

impl Wake for Bed {
    fn wake(&self) {
        *self.rung.lock().unwrap() = true;
        self.changed.notify_one();
    }
}

impl Bed {
    /// False if nobody rang.
    fn sleep(&self) -> bool {
        let rung = self.rung.lock().unwrap();
        let (mut rung, timeout) = self.changed.wait_timeout_while(rung, SLEEP_MAX, |rung| !*rung).unwrap();
        *rung = false;
        !timeout.timed_out()
    }
}

/// What one thread still has to send to a peer, and to see from it.
#[derive(Clone, Copy, Default)]
struct Progress {
    replies_sent: u32,
    notes_sent: u32,
    replies_seen: u32,
    notes_seen: u32,
}

fn send_some(
    mesh: &mut Mesh<Note<u32>>,
    peer: usize,
    progress: &mut Progress,
    messages: u32,
    random: &mut fastrand::Rng,
) {
    for _ in 0..random.usize(..40) {
        if mesh.is_congested(peer) {
            return;
        }
        if random.u8(..) < 16 {
            if progress.notes_sent < messages / 10 {
                mesh.note(peer, ConnectionNote::Adopt(progress.notes_sent));
                progress.notes_sent += 1;
            }
        } else if progress.replies_sent < messages {
            let number = progress.replies_sent;
            let ticket = Ticket { connection: 1, sequence: number, part: 0 };
            mesh.outgoing(peer).push_reply(ticket, |out| out.extend_from_slice(&number.to_le_bytes()));
            progress.replies_sent += 1;
        }
    }
}

fn take_all(mesh: &mut Mesh<Note<u32>>, peer: usize, progress: &mut Progress) {
    while let Some(parcel) = mesh.receive(peer) {
        for note in parcel.notes {
            match note {
                Note::Connection(ConnectionNote::Adopt(number)) => {
                    assert_eq!(number, progress.notes_seen, "a note was lost, doubled or overtaken");
                    progress.notes_seen += 1;
                }
                _ => unreachable!("only such notes were sent"),
            }
        }
        if let Some(batch) = parcel.batch {
            for (ticket, reply) in batch.replies() {
                assert_eq!(ticket.sequence, progress.replies_seen, "a reply was lost, doubled or overtaken");
                assert_eq!(reply, progress.replies_seen.to_le_bytes());
                progress.replies_seen += 1;
            }
            mesh.recycle(batch);
        }
    }
}

/// One thread's life. It goes on until everybody has everything, since peers may yet ring it.
fn live(mut mesh: Mesh<Note<u32>>, messages: u32, done: &AtomicUsize) {
    let (me, nodes) = (mesh.me(), mesh.nodes());
    let bed = Arc::new(Bed::default());
    mesh.bell().connect(bed.clone());
    let mut random = fastrand::Rng::with_seed(me as u64);
    let mut progress = vec![Progress::default(); nodes];
    let peers = move || (0..nodes).filter(move |peer| *peer != me);
    let mut is_done = false;
    while done.load(Ordering::Relaxed) < nodes {
        for peer in peers() {
            send_some(&mut mesh, peer, &mut progress[peer], messages, &mut random);
        }
        mesh.flush();
        for peer in peers() {
            take_all(&mut mesh, peer, &mut progress[peer]);
        }
        let has_sent = peers().all(|peer| {
            progress[peer].replies_sent == messages && progress[peer].notes_sent == messages / 10
        });
        let has_all = peers().all(|peer| {
            progress[peer].replies_seen == messages && progress[peer].notes_seen == messages / 10
        });
        if has_sent && has_all && !mesh.is_restless() && !is_done {
            is_done = true;
            if done.fetch_add(1, Ordering::Relaxed) + 1 == nodes {
                mesh.bells().iter().for_each(|bell| bell.wake());
            }
        }
        if has_sent && !mesh.is_restless() {
            let bell = mesh.bell().clone();
            bell.doorbell().lie_down();
            if !mesh.has_mail() && done.load(Ordering::Relaxed) < nodes {
                assert!(bed.sleep(), "node {me} slept over something");
            }
            bell.doorbell().get_up();
        } else {
            std::thread::yield_now();
        }
    }
}

#[test]
fn nothing_is_lost_doubled_overtaken_or_slept_over() {
    let messages = 20_000;
    let done = Arc::new(AtomicUsize::new(0));
    let threads: Vec<_> = Mesh::<Note<u32>>::build(NODES)
        .into_iter()
        .map(|mesh| {
            let done = done.clone();
            std::thread::spawn(move || live(mesh, messages, &done))
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}
