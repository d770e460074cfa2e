//! Real disks: the same suite as the simulated one, and what only a real one can do.

mod common;
#[path = "suites/disk.rs"]
mod suite;

use std::io::{self, ErrorKind};
use std::net::TcpStream;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use common::{PATIENCE, options, pattern, read, uring_available, write};
use suite::Subject;
use tessera_drivers::disk::{RingDisk, ThreadDisk};
use tessera_drivers::epoll::EpollNetwork;
use tessera_drivers::executor::{NodeThread, Seat, Turn, start_glommio, start_plain};
use tessera_drivers::listen::listen;
use tessera_drivers::uring::{UringNetwork, UringOptions};
use tessera_drivers::{Socket, Waker};
use tessera_node::disk::{Completion, Disk, FileId, Operation, Output};
use tessera_node::network::{Closed, ConnectionId, Events, Network, PollWait, Wake};

/// How long the disk may take. One that others use too may stand still for seconds.
const PATIENCE_WITH_DISK: Duration = Duration::from_secs(120);

enum Order {
    Submit(Vec<(u64, Operation)>),
    IsDirect(FileId, mpsc::Sender<bool>),
}

/// A node that gives back what it receives, and submits what it is told to.
struct Clerk<N> {
    network: N,
    disk: Box<dyn Disk>,
    orders: mpsc::Receiver<Order>,
    completions: mpsc::Sender<Completion>,
    stop: Arc<AtomicBool>,
    echo: Echo,
}

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

impl<N: Network<Socket = Socket> + 'static> Turn for Clerk<N> {
    fn turn(&mut self) -> ControlFlow<io::Result<()>> {
        // Nothing but an event or the waker ends this early, so whoever completes must use it.
        self.network.poll(PollWait::AtMost(Duration::from_secs(3600)), &mut self.echo).unwrap();
        if self.stop.load(Ordering::Acquire) {
            return ControlFlow::Break(Ok(()));
        }
        let mut completions = Vec::new();
        self.disk.take_completions(&mut completions);
        for completion in completions {
            let _ = self.completions.send(completion);
        }
        for order in self.orders.try_iter() {
            match order {
                Order::Submit(operations) => {
                    operations.into_iter().for_each(|(tag, operation)| self.disk.submit(tag, operation));
                }
                Order::IsDirect(file, answer) => answer.send(self.disk.is_direct(file)).unwrap(),
            }
        }
        for socket in self.echo.accepted.drain(..) {
            self.network.adopt(socket).unwrap();
        }
        for (id, reply) in self.echo.replies.drain(..) {
            self.network.send(id, reply);
        }
        for id in self.echo.closed.drain(..) {
            self.network.close(id);
        }
        ControlFlow::Continue(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ring,
    Thread,
}

/// A node on a thread of its own, seen from outside.
struct Desk {
    directory: String,
    address: std::net::SocketAddr,
    orders: mpsc::Sender<Order>,
    completions: mpsc::Receiver<Completion>,
    bell: Waker,
    stop: Arc<AtomicBool>,
    node: Option<NodeThread>,
    next_tag: u64,
}

impl Desk {
    fn start(kind: Kind, directory: &Path) -> Desk {
        let mut listeners = listen(&options(1)).unwrap();
        let (own, address) = (listeners.nodes.remove(0), listeners.addresses[0]);
        let (waker, stop) = (Waker::new().unwrap(), Arc::new(AtomicBool::new(false)));
        let (bell, stopped) = (waker.clone(), stop.clone());
        let (orders, received) = mpsc::channel();
        let (sender, completions) = mpsc::channel();
        let seat = Seat { name: "node".to_owned(), cpu: None };
        let node = match kind {
            Kind::Ring => start_glommio(seat, move |core| {
                let disk = Box::new(RingDisk::new(&core.background()));
                let network = UringNetwork::new(UringOptions::default(), own, waker, core.sleeper())?;
                let (completions, echo) = (sender, Echo::default());
                Ok(Clerk { network, disk, orders: received, completions, stop: stopped, echo })
            }),
            Kind::Thread => start_plain(seat, move || {
                let disk = Box::new(ThreadDisk::new(waker.clone()));
                let network = EpollNetwork::new(own, waker)?;
                let (completions, echo) = (sender, Echo::default());
                Ok(Clerk { network, disk, orders: received, completions, stop: stopped, echo })
            }),
        };
        let node = node.unwrap().wait_started().unwrap();
        let directory = directory.to_str().unwrap().to_owned();
        Desk { directory, address, orders, completions, bell, stop, node: Some(node), next_tag: 0 }
    }

    /// Submits without waiting for anything. Answers the first tag.
    fn submit(&mut self, operations: Vec<Operation>) -> u64 {
        let first = self.next_tag;
        self.next_tag += operations.len() as u64;
        self.orders.send(Order::Submit((first..).zip(operations).collect())).unwrap();
        self.bell.wake();
        first
    }

    fn is_direct(&self, file: FileId) -> bool {
        let (sender, answer) = mpsc::channel();
        self.orders.send(Order::IsDirect(file, sender)).unwrap();
        self.bell.wake();
        answer.recv_timeout(PATIENCE).unwrap()
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.bell.wake();
        if let Some(node) = self.node.take() {
            node.join().unwrap();
        }
    }
}

impl Subject for Desk {
    fn run(&mut self, operations: Vec<Operation>) -> Vec<io::Result<Output>> {
        let len = operations.len();
        let first = self.submit(operations);
        let mut results: Vec<Option<io::Result<Output>>> = (0..len).map(|_| None).collect();
        for _ in 0..len {
            let Completion { tag, result } = self.completions.recv_timeout(PATIENCE_WITH_DISK).unwrap();
            let place = &mut results[usize::try_from(tag - first).unwrap()];
            assert!(place.replace(result).is_none(), "completed once");
        }
        results.into_iter().flatten().collect()
    }

    fn directory(&self) -> String {
        self.directory.clone()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}

fn kinds() -> Vec<Kind> {
    if uring_available() { vec![Kind::Ring, Kind::Thread] } else { vec![Kind::Thread] }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

#[test]
fn every_disk_does_what_the_suite_demands() {
    for kind in kinds() {
        let folder = folder();
        suite::all(&mut Desk::start(kind, folder.path()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

/// A file system of so many bytes in memory, until dropped. None without the right to mount.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(len_bytes: usize) -> Option<SmallDisk> {
        let folder = folder();
        let options = format!("size={len_bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &options, "tessera-test"]).arg(folder.path());
        match mount.output() {
            Ok(output) if output.status.success() => Some(SmallDisk(folder)),
            _ => {
                eprintln!("not tested: cannot mount a file system");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn file_systems_in_memory_will_do() {
    let Some(small) = SmallDisk::mount(16 << 20) else { return };
    for kind in kinds() {
        let mut desk = Desk::start(kind, small.0.path());
        suite::all(&mut desk);
        let file = desk.create("file");
        assert!(!desk.is_direct(file));
        desk.do_all(vec![Operation::Close { file }]);
        desk.do_all(vec![Operation::Remove { path: desk.path("file") }]);
    }
}

#[test]
fn a_full_disk_is_an_error_of_the_write() {
    let Some(small) = SmallDisk::mount(1 << 20) else { return };
    for kind in kinds() {
        let mut desk = Desk::start(kind, small.0.path());
        let file = desk.create("file");
        let writes = (0..4).map(|number| Operation::Write {
            file,
            offset_bytes: number << 19,
            bytes: vec![1; 1 << 19],
        });
        let results = desk.run(writes.collect());
        let failures: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert_eq!(failures.len(), 2, "{failures:?}");
        assert!(failures.iter().all(|error| error.kind() == ErrorKind::StorageFull), "{failures:?}");
        desk.do_all(vec![Operation::Close { file }]);
        desk.do_all(vec![Operation::Remove { path: desk.path("file") }]);
        // There is room again.
        desk.write_file("file", &[2; 1 << 19]);
        desk.do_all(vec![Operation::Remove { path: desk.path("file") }]);
    }
}

#[test]
fn errors_are_those_of_the_system() {
    for kind in kinds() {
        let mut desk = Desk::start(kind, Path::new("/dev"));
        let file = desk.create("full");
        let bytes = vec![1; 8192];
        assert_eq!(
            desk.error(Operation::Write { file, offset_bytes: 0, bytes }),
            ErrorKind::StorageFull,
            "{kind:?}"
        );
        desk.do_all(vec![Operation::Close { file }]);
        let unknown = FileId(u64::MAX);
        for operation in [
            Operation::Write { file: unknown, offset_bytes: 0, bytes: vec![1] },
            Operation::Read { file: unknown, offset_bytes: 0, len_bytes: 1 },
            Operation::Sync { file: unknown },
            Operation::Close { file },
        ] {
            let error = desk.run_one(operation).unwrap_err();
            assert_eq!(error.raw_os_error(), Some(9), "{kind:?}");
        }
        let not_a_path = Operation::Open { path: "a\0b".into() };
        assert_eq!(desk.error(not_a_path), ErrorKind::InvalidInput);
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    let folder = folder();
    let pipe = folder.path().join("pipe");
    if !Command::new("mkfifo").arg(&pipe).status().is_ok_and(|status| status.success()) {
        return;
    }
    for kind in kinds() {
        let mut desk = Desk::start(kind, folder.path());
        // ENXIO: nobody reads.
        let error = desk.run_one(Operation::Create { path: desk.path("pipe") }).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(6));
        let (file, _) = desk.open("pipe");
        desk.do_all(vec![Operation::Close { file }]);
    }
}

#[test]
fn a_ring_reads_and_writes_past_the_cache_where_it_can() {
    if !uring_available() {
        return;
    }
    let folder = folder();
    let trial = folder.path().join("trial");
    let mut options = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc_direct());
    let can = options.write(true).create(true).open(trial).is_ok();
    let mut desk = Desk::start(Kind::Ring, folder.path());
    let file = desk.create("file");
    assert_eq!(desk.is_direct(file), can);
    desk.do_all(vec![Operation::Close { file }]);
    assert!(!desk.is_direct(file), "it is not open any more");
}

fn libc_direct() -> i32 {
    rustix::fs::OFlags::DIRECT.bits().cast_signed()
}

#[test]
fn a_node_serves_while_its_disk_is_busy() {
    for kind in kinds() {
        let folder = folder();
        let mut desk = Desk::start(kind, folder.path());
        let client = TcpStream::connect(desk.address).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        let file = desk.create("file");
        for round in 0..4_u64 {
            let writes = (0..8).map(|number| Operation::Write {
                file,
                offset_bytes: (round * 8 + number) << 20,
                bytes: suite::bytes(1 << 20, number),
            });
            desk.submit(writes.collect());
            let mut over = 0;
            while over < 8 {
                let message = pattern(100);
                write(&client, &message);
                assert_eq!(read(&client, message.len()), message);
                for completion in desk.completions.try_iter() {
                    assert!(matches!(completion.result, Ok(Output::Written(_))), "{completion:?}");
                    over += 1;
                }
            }
        }
        desk.do_all(vec![Operation::Sync { file }]);
        desk.do_all(vec![Operation::Close { file }]);
        let written = std::fs::read(folder.path().join("file")).unwrap();
        assert_eq!(written.len(), 32 << 20);
        for (number, piece) in (0..8).cycle().zip(written.chunks(1 << 20)) {
            assert!(piece == suite::bytes(1 << 20, number));
        }
    }
}

#[test]
fn a_node_can_end_with_operations_under_way() {
    for kind in kinds() {
        for round in 0..10 {
            let folder = folder();
            let mut desk = Desk::start(kind, folder.path());
            let file = desk.create("file");
            let mut operations: Vec<_> = (0..6)
                .map(|number| Operation::Write { file, offset_bytes: number << 18, bytes: vec![1; 1 << 18] })
                .collect();
            for number in 0..6 {
                operations.push(Operation::Create { path: desk.path(&format!("{number}")) });
            }
            desk.submit(operations);
            if round % 2 == 0 {
                let first = desk.completions.recv_timeout(PATIENCE_WITH_DISK).unwrap();
                assert!(first.result.is_ok(), "{first:?}");
            }
            desk.end();
        }
    }
}

/// Round trips of a client one after the other, until told to stop, in ascending order.
fn round_trips(address: std::net::SocketAddr, stop: &AtomicBool) -> Vec<Duration> {
    let client = TcpStream::connect(address).unwrap();
    client.set_nodelay(true).unwrap();
    let mut times = Vec::new();
    while !stop.load(Ordering::Acquire) {
        let start = std::time::Instant::now();
        write(&client, b"ping");
        assert_eq!(read(&client, 4), b"ping");
        times.push(start.elapsed());
        std::thread::sleep(Duration::from_micros(200));
    }
    times.sort_unstable();
    times
}

fn summary(times: &[Duration]) -> String {
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_micros();
    let (median, most, nearly_all, worst) = (at(0.5), at(0.99), at(0.999), at(1.0));
    format!("{} round trips, us: p50 {median}, p99 {most}, p99.9 {nearly_all}, max {worst}", times.len())
}

/// Writes a gibibyte, so many mebibytes at once.
fn write_gibibyte(desk: &mut Desk, depth: u64) -> Duration {
    let file = desk.create("gibibyte");
    let start = std::time::Instant::now();
    let (mut submitted, mut over) = (0, 0);
    let mut spare = vec![suite::bytes(1 << 20, 1); depth as usize];
    while over < 1024 {
        while submitted < 1024
            && let Some(bytes) = spare.pop()
        {
            desk.submit(vec![Operation::Write { file, offset_bytes: submitted << 20, bytes }]);
            submitted += 1;
        }
        match desk.completions.recv_timeout(PATIENCE_WITH_DISK).unwrap().result {
            Ok(Output::Written(bytes)) => spare.push(bytes),
            other => panic!("{other:?}"),
        }
        over += 1;
    }
    desk.do_all(vec![Operation::Sync { file }]);
    let time = start.elapsed();
    desk.do_all(vec![Operation::Close { file }]);
    time
}

/// `cargo test --release -p tessera-drivers --test disk -- --ignored --nocapture`
#[test]
#[ignore = "measures, and writes some gibibytes"]
fn how_fast_it_is_and_what_clients_see_of_it() {
    let folder = folder();
    let path = folder.path().join("gibibyte");
    for _ in 0..2 {
        let start = std::time::Instant::now();
        let mut dd = Command::new("dd");
        dd.args(["if=/dev/zero", "bs=1M", "count=1024", "oflag=direct", "conv=fdatasync", "status=none"]);
        assert!(dd.arg(format!("of={}", path.display())).status().unwrap().success());
        eprintln!("dd: {:.0} MiB/s", 1024.0 / start.elapsed().as_secs_f64());
        std::fs::remove_file(&path).unwrap();
        for kind in kinds() {
            let mut desk = Desk::start(kind, folder.path());
            let stop = AtomicBool::new(false);
            let address = desk.address;
            let idle = std::thread::scope(|scope| {
                let client = scope.spawn(|| round_trips(address, &stop));
                std::thread::sleep(Duration::from_secs(3));
                stop.store(true, Ordering::Release);
                client.join().unwrap()
            });
            eprintln!("{kind:?} idle: {}", summary(&idle));
            for depth in [1, 4, 8] {
                stop.store(false, Ordering::Release);
                let (time, busy) = std::thread::scope(|scope| {
                    let client = scope.spawn(|| round_trips(address, &stop));
                    let time = write_gibibyte(&mut desk, depth);
                    stop.store(true, Ordering::Release);
                    (time, client.join().unwrap())
                });
                let speed = 1024.0 / time.as_secs_f64();
                eprintln!("{kind:?} depth {depth}: {speed:.0} MiB/s; {}", summary(&busy));
                desk.do_all(vec![Operation::Remove { path: desk.path("gibibyte") }]);
            }
        }
    }
}
