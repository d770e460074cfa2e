//! Nodes on threads of their own, with and without work beside them.

mod common;

use std::cell::Cell;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use common::{PATIENCE, options, pattern, read, uring_available, write};
use glommio::io::{DmaFile, OpenOptions};
use tessera_drivers::epoll::EpollNetwork;
use tessera_drivers::executor::{Background, Seat, Turn, allowed_cpus, seats, start_glommio, start_plain};
use tessera_drivers::listen::{Listener, listen};
use tessera_drivers::uring::{UringNetwork, UringOptions};
use tessera_drivers::{Socket, Waker};
use tessera_node::network::{Closed, ConnectionId, Events, Network, PollWait, Wake};

/// Gives back what it gets.
#[derive(Default)]
struct Echo {
    accepted: Vec<Socket>,
    replies: Vec<(ConnectionId, Vec<u8>)>,
    closed: Vec<ConnectionId>,
}

impl Events<Socket> for Echo {
    fn accepted(&mut self, socket: Socket) {
        self.accepted.push(socket);
    }
    fn received(&mut self, id: ConnectionId, bytes: &[u8]) {
        self.replies.push((id, bytes.to_vec()));
    }
    fn sent(&mut self, _: ConnectionId, _: Vec<u8>, result: io::Result<()>) {
        result.unwrap();
    }
    fn sent_some(&mut self, _: ConnectionId) {}
    fn remote_sent(&mut self, _: u64, _: Vec<u8>, _: usize) {}
    fn hung_up(&mut self, _: ConnectionId, _: Closed) {}
    fn closed(&mut self, id: ConnectionId, _: Closed) {
        self.closed.push(id);
    }
}

impl Echo {
    /// Polls first, so that what it queues is not submitted when it returns.
    fn turn<N: Network<Socket = Socket>>(&mut self, network: &mut N) {
        let idle = self.accepted.is_empty() && self.replies.is_empty() && self.closed.is_empty();
        assert!(idle, "all is done in the turn that brought it");
        network.poll(PollWait::AtMost(Duration::from_secs(3600)), self).unwrap();
        for socket in self.accepted.drain(..) {
            network.adopt(socket).unwrap();
        }
        for (id, reply) in self.replies.drain(..) {
            network.send(id, reply);
        }
        for id in self.closed.drain(..) {
            network.close(id);
        }
    }
}

fn seat() -> Seat {
    Seat { name: "node".to_owned(), cpu: seats(1)[0] }
}

fn listener() -> (Vec<Listener>, SocketAddr) {
    let mut listeners = listen(&options(1)).unwrap();
    (listeners.nodes.remove(0), listeners.addresses[0])
}

fn talk(address: SocketAddr, rounds: usize) {
    let client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    for round in 0..rounds {
        let message = pattern(10 + round % 100);
        write(&client, &message);
        assert_eq!(read(&client, message.len()), message);
    }
}

#[test]
fn a_plain_node_runs_and_stops() {
    let (own, address) = listener();
    let (waker, stop) = (Waker::new().unwrap(), Arc::new(AtomicBool::new(false)));
    let (bell, stopped) = (waker.clone(), stop.clone());
    let node = start_plain(seat(), move || {
        let mut network = EpollNetwork::new(own, waker)?;
        let mut echo = Echo::default();
        Ok(move || {
            if stopped.load(Ordering::Acquire) {
                return ControlFlow::Break(Ok(()));
            }
            echo.turn(&mut network);
            ControlFlow::Continue(())
        })
    })
    .unwrap()
    .wait_started()
    .unwrap();
    talk(address, 100);
    stop.store(true, Ordering::Release);
    bell.wake();
    node.join().unwrap();
}

#[test]
fn what_keeps_a_node_from_starting_is_told() {
    let refuse = || Err::<fn() -> ControlFlow<io::Result<()>>, _>(io::Error::other("no room"));
    let node = start_plain(seat(), refuse).unwrap();
    assert_eq!(node.wait_started().unwrap_err().to_string(), "no room");
    if uring_available() {
        let node = start_glommio(seat(), move |_| refuse()).unwrap();
        assert_eq!(node.wait_started().unwrap_err().to_string(), "no room");
    }
    let nowhere = Seat { name: "node".to_owned(), cpu: Some(1023) };
    if !allowed_cpus().unwrap().contains(&1023) {
        let node = start_plain(nowhere, refuse).unwrap();
        assert!(node.wait_started().unwrap_err().to_string().contains("processor 1023"));
    }
}

#[test]
fn nodes_get_processors_of_their_own_if_there_are_enough() {
    let cpus = allowed_cpus().unwrap();
    assert_eq!(seats(cpus.len()), cpus.iter().copied().map(Some).collect::<Vec<_>>());
    assert_eq!(seats(cpus.len() + 1), vec![None; cpus.len() + 1]);
}

/// How long the disk may take. One that others use too may stand still for seconds.
const PATIENCE_WITH_DISK: Duration = Duration::from_secs(300);

/// Writes a file of 4 MiB in pieces, reads some of it back and compares.
async fn write_and_check(path: std::path::PathBuf) {
    let file: DmaFile = OpenOptions::new().create(true).read(true).write(true).dma_open(&path).await.unwrap();
    let bytes = pattern(4096);
    for piece in 0..64_u64 {
        let mut buffer = file.alloc_dma_buffer(64 * 1024);
        buffer.as_bytes_mut().chunks_mut(4096).for_each(|chunk| chunk.copy_from_slice(&bytes));
        let len = buffer.len();
        assert_eq!(file.write_at(buffer, piece * len as u64).await.unwrap(), len);
        glommio::yield_if_needed().await;
    }
    file.fdatasync().await.unwrap();
    for page in (0..1024_u64).step_by(97) {
        let read = file.read_at_aligned(page * 4096, 4096).await.unwrap();
        assert!(*read == *bytes);
    }
    file.close().await.unwrap();
}

/// Does nothing but compute, and yields when asked.
async fn compute(end: Rc<Cell<bool>>) {
    while !end.get() {
        std::hint::black_box(pattern(1000));
        glommio::yield_if_needed().await;
    }
}

/// Waits, without traffic, until no task is active beside the node.
fn wait_for_disk(active: &AtomicU64, bell: &Waker) {
    let start = std::time::Instant::now();
    while active.load(Ordering::Acquire) > 0 {
        assert!(start.elapsed() < PATIENCE_WITH_DISK, "the disk is not served without traffic");
        std::thread::sleep(Duration::from_millis(5));
        bell.wake();
    }
}

#[test]
fn a_ring_node_serves_while_the_disk_is_busy_beside_it() {
    if !uring_available() {
        return;
    }
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let path = folder.path().join("file");
    let (own, address) = listener();
    let (waker, orders) = (Waker::new().unwrap(), Arc::new(AtomicU64::new(0)));
    let (bell, obeyed) = (waker.clone(), orders.clone());
    let active = Arc::new(AtomicU64::new(0));
    let reported = active.clone();
    let node = start_glommio(seat(), move |core| {
        let background: Background = core.background();
        let queue = background.queue("disk", 100);
        let mut network = UringNetwork::new(UringOptions::default(), own, waker, core.sleeper())?;
        let mut echo = Echo::default();
        let end = Rc::new(Cell::new(false));
        Ok(move || {
            let what = obeyed.load(Ordering::Acquire);
            match what {
                1 => queue.spawn(write_and_check(path.clone())).unwrap(),
                2 => queue.spawn(compute(end.clone())).unwrap(),
                3 => end.set(true),
                4 => return ControlFlow::Break(Ok(())),
                _ => {}
            }
            reported.store(background.active() as u64, Ordering::Release);
            if what != 0 {
                obeyed.store(0, Ordering::Release);
            }
            echo.turn(&mut network);
            ControlFlow::Continue(())
        })
    })
    .unwrap()
    .wait_started()
    .unwrap();
    // What it began may be over when this returns.
    let order = |what: u64| {
        orders.store(what, Ordering::Release);
        let start = std::time::Instant::now();
        while orders.load(Ordering::Acquire) != 0 {
            assert!(start.elapsed() < PATIENCE, "order {what} was not obeyed");
            bell.wake();
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    for _ in 0..3 {
        talk(address, 100);
        // Traffic, the disk, and both; the node is woken from either sleep.
        order(1);
        while active.load(Ordering::Acquire) > 0 {
            talk(address, 50);
        }
        order(1);
        wait_for_disk(&active, &bell);
    }
    order(2);
    talk(address, 200);
    order(3);
    talk(address, 100);
    // A task that is active when the node ends is dropped.
    order(1);
    orders.store(4, Ordering::Release);
    bell.wake();
    node.join().unwrap();
}

/// A node that must be told of sleeps: it refuses every other one, and counts.
struct Wary<F> {
    turn: F,
    counts: Arc<[AtomicU64; 3]>,
    /// The last turn has sent something of its own accord.
    sent: Rc<Cell<bool>>,
}

impl<F: FnMut() -> ControlFlow<io::Result<()>> + 'static> Turn for Wary<F> {
    fn turn(&mut self) -> ControlFlow<io::Result<()>> {
        let [asked, refused, up] = &*self.counts;
        let agreed = asked.load(Ordering::Acquire) - refused.load(Ordering::Acquire);
        assert_eq!(agreed, up.load(Ordering::Acquire), "told to get up after every sleep");
        (self.turn)()
    }

    fn lie_down(&mut self, planned: Duration) -> Option<Duration> {
        assert_eq!(planned, Duration::from_secs(3600));
        let asked = self.counts[0].fetch_add(1, Ordering::AcqRel);
        if asked.is_multiple_of(2) {
            self.counts[1].fetch_add(1, Ordering::AcqRel);
            return None;
        }
        // Looks after its own affairs often, but would sleep for long once it has sent something.
        Some(if self.sent.get() { planned } else { Duration::from_millis(1) })
    }

    fn get_up(&mut self) {
        self.counts[2].fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn a_node_is_told_of_sleeps_beside_background_work() {
    if !uring_available() {
        return;
    }
    let (own, address) = listener();
    let counts = Arc::new([const { AtomicU64::new(0) }; 3]);
    let (told, stop) = (counts.clone(), Arc::new(AtomicBool::new(false)));
    let (waker, stopped) = (Waker::new().unwrap(), stop.clone());
    let (bell, push) = (waker.clone(), Arc::new(AtomicBool::new(false)));
    let pushed = push.clone();
    let node = start_glommio(seat(), move |core| {
        let queue = core.background().queue("idle", 1);
        // A task that is active and never does anything.
        queue.spawn(std::future::pending())?;
        let mut network = UringNetwork::new(UringOptions::default(), own, waker, core.sleeper())?;
        let mut echo = Echo::default();
        let sent = Rc::new(Cell::new(false));
        let sending = sent.clone();
        let turn = move || {
            if stopped.load(Ordering::Acquire) {
                return ControlFlow::Break(Ok(()));
            }
            sending.set(false);
            echo.turn(&mut network);
            // Like what a timer does: nothing has come from the ring.
            if pushed.swap(false, Ordering::AcqRel) {
                network.send(ConnectionId { index: 0, generation: 0 }, b"pushed".to_vec());
                sending.set(true);
            }
            ControlFlow::Continue(())
        };
        Ok(Wary { turn, counts: told, sent })
    })
    .unwrap()
    .wait_started()
    .unwrap();
    let first = TcpStream::connect(address).unwrap();
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    write(&first, b"first");
    assert_eq!(read(&first, 5), b"first");
    talk(address, 300);
    for _ in 0..300 {
        push.store(true, Ordering::Release);
        assert_eq!(read(&first, 6), b"pushed");
    }
    let start = std::time::Instant::now();
    while counts[2].load(Ordering::Acquire) < 10 {
        assert!(start.elapsed() < PATIENCE, "the doorbell wakes it from these sleeps too");
        bell.wake();
        std::thread::sleep(Duration::from_millis(1));
    }
    stop.store(true, Ordering::Release);
    bell.wake();
    node.join().unwrap();
}

/// A turn of the executor may find its time used up before it has run anything, if its thread was off the processor
/// just then. It sleeps after that, with its tasks waiting, unless somebody wakes it.
#[test]
fn nodes_that_share_a_processor_do_not_sleep_while_they_have_work() {
    if !uring_available() {
        return;
    }
    let cpu = allowed_cpus().unwrap()[0];
    let nodes: Vec<_> = (0..6)
        .map(|_| {
            let (own, address) = listener();
            let (waker, stop) = (Waker::new().unwrap(), Arc::new(AtomicBool::new(false)));
            let (bell, stopped) = (waker.clone(), stop.clone());
            let seat = Seat { name: "node".to_owned(), cpu: Some(cpu) };
            let node = start_glommio(seat, move |core| {
                let end = Rc::new(Cell::new(false));
                let queue = core.background().queue("busy", 100);
                queue.spawn(compute(end.clone()))?;
                let mut network = UringNetwork::new(UringOptions::default(), own, waker, core.sleeper())?;
                let mut echo = Echo::default();
                Ok(move || {
                    if stopped.load(Ordering::Acquire) {
                        end.set(true);
                        return ControlFlow::Break(Ok(()));
                    }
                    echo.turn(&mut network);
                    ControlFlow::Continue(())
                })
            });
            (node.unwrap().wait_started().unwrap(), address, bell, stop)
        })
        .collect();
    std::thread::scope(|scope| {
        for (_, address, ..) in &nodes {
            scope.spawn(move || talk(*address, 100));
        }
    });
    for (node, _, bell, stop) in nodes {
        stop.store(true, Ordering::Release);
        bell.wake();
        node.join().unwrap();
    }
}
