//! The virtual disk: the suite of the real ones, and what survives a crash.

#[path = "../../drivers/tests/suites/disk.rs"]
mod suite;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use suite::Subject;
use tessera_node::disk::{BLOCK_LEN_BYTES, Completion, Disk, FileId, Operation, Output};
use tessera_sim::disk::VirtualDisk;
use tessera_sim::network::VirtualWaker;
use tessera_sim::storage::{DiskWeather, Storage};
use tessera_sim::weather::Weather;

struct Desk {
    storage: Rc<RefCell<Storage>>,
    disk: VirtualDisk,
    waker: Arc<VirtualWaker>,
    next_tag: u64,
}

impl Desk {
    fn new(storage: Storage) -> Desk {
        let (storage, waker) = (Rc::new(RefCell::new(storage)), Arc::<VirtualWaker>::default());
        let disk = VirtualDisk::new(0, storage.clone(), waker.clone());
        Desk { storage, disk, waker, next_tag: 0 }
    }

    fn empty(seed: u64) -> Desk {
        Desk::new(Storage::new(&["/data"], seed))
    }

    fn crash(self) -> Desk {
        Desk::new(self.storage.borrow_mut().crash())
    }

    fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.storage.borrow().contents(&format!("/data/{name}")).map(<[u8]>::to_vec)
    }

    fn set(&self, change: impl FnOnce(&mut DiskWeather)) {
        let mut weather = *self.storage.borrow().weather();
        change(&mut weather);
        self.storage.borrow_mut().set_weather(weather);
    }

    fn submit(&mut self, operation: Operation) {
        self.disk.submit(self.next_tag, operation);
        self.next_tag += 1;
    }

    fn write(&mut self, file: FileId, block: usize, bytes: Vec<u8>) -> io::Result<Output> {
        self.run_one(Operation::Write { file, offset_bytes: (block * BLOCK_LEN_BYTES) as u64, bytes })
    }
}

impl Subject for Desk {
    fn run(&mut self, operations: Vec<Operation>) -> Vec<io::Result<Output>> {
        let (first, len) = (self.next_tag, operations.len());
        operations.into_iter().for_each(|operation| self.submit(operation));
        let mut results: Vec<Option<io::Result<Output>>> = (0..len).map(|_| None).collect();
        let mut steps = 0;
        while results.iter().any(Option::is_none) {
            steps += 1;
            assert!(steps < 100_000, "it never ends");
            if self.storage.borrow_mut().progress() {
                assert!(self.waker.is_rung());
            }
            let mut completions = Vec::new();
            self.disk.take_completions(&mut completions);
            for Completion { tag, result } in completions {
                assert!(results[(tag - first) as usize].replace(result).is_none(), "completed once");
            }
        }
        results.into_iter().flatten().collect()
    }

    fn directory(&self) -> String {
        "/data".to_owned()
    }
}

#[test]
fn it_does_what_the_suite_demands() {
    for seed in 0..20 {
        let mut desk = Desk::empty(seed);
        desk.storage.borrow_mut().set_weather(DiskWeather::slow(&mut fastrand::Rng::with_seed(seed)));
        suite::all(&mut desk);
        assert!(desk.storage.borrow().is_quiet());
    }
}

fn synced(seed: u64, content: &[u8]) -> Desk {
    let mut desk = Desk::empty(seed);
    desk.write_file("file", content);
    desk.do_all(vec![Operation::SyncDirectory { directory: "/data".into() }]);
    desk
}

#[test]
fn what_was_synced_survives() {
    for seed in 0..100 {
        let content = suite::bytes(30_000, seed);
        let mut desk = synced(seed, &content).crash();
        assert_eq!(desk.contents("file").as_deref(), Some(&*content));
        assert_eq!(desk.read_file("file"), content);
    }
}

#[test]
fn what_was_not_synced_survives_in_part() {
    let (mut contents, mut lens) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..300 {
        let mut desk = synced(seed, &vec![1; 2 * BLOCK_LEN_BYTES]);
        let (file, _) = desk.open("file");
        for block in 0..4 {
            desk.write(file, block, vec![2; BLOCK_LEN_BYTES]).unwrap();
        }
        let after = desk.crash().contents("file").unwrap();
        assert!(after.len() >= 2 * BLOCK_LEN_BYTES && after.len() <= 4 * BLOCK_LEN_BYTES);
        lens.insert(after.len());
        for (block, bytes) in after.chunks(BLOCK_LEN_BYTES).enumerate() {
            let old = if block < 2 { 1 } else { 0 };
            let new = bytes.iter().take_while(|byte| **byte == 2).count();
            assert!(bytes[new..].iter().all(|byte| *byte == old), "the rest of a torn block is old");
            assert_eq!(new % 512, 0, "sectors are whole");
            contents.insert(match new {
                0 => "lost",
                BLOCK_LEN_BYTES => "kept",
                _ => "torn",
            });
        }
    }
    assert_eq!(contents.len(), 3, "{contents:?}");
    assert_eq!(lens.len(), 3, "{lens:?}");
}

#[test]
fn names_survive_from_the_sync_of_their_directory() {
    let mut seen = BTreeSet::new();
    for seed in 0..300 {
        let mut desk = synced(seed, b"old");
        desk.write_file("temporary", b"new");
        desk.do_all(vec![Operation::Rename { from: desk.path("temporary"), to: desk.path("file") }]);
        let is_synced = seed % 3 == 0;
        if is_synced {
            desk.do_all(vec![Operation::SyncDirectory { directory: "/data".into() }]);
        }
        let desk = desk.crash();
        let state = (desk.contents("file"), desk.contents("temporary"));
        match &state {
            (Some(file), None) if file == b"new" => {}
            (Some(file), temporary) if file == b"old" && !is_synced => {
                assert!(temporary.as_ref().is_none_or(|temporary| temporary == b"new"));
            }
            other => panic!("{other:?}"),
        }
        seen.insert(state);
    }
    assert_eq!(seen.len(), 3, "done, not done, and not even made");
}

#[test]
fn a_failed_sync_loses_for_good_what_it_was_to_save() {
    let mut lost = 0;
    for seed in 0..50 {
        let mut desk = synced(seed, &[1; BLOCK_LEN_BYTES]);
        let (file, _) = desk.open("file");
        desk.write(file, 0, vec![2; BLOCK_LEN_BYTES]).unwrap();
        desk.set(|weather| weather.sync_fails = 100);
        assert_eq!(desk.run_one(Operation::Sync { file }).unwrap_err().raw_os_error(), Some(5));
        desk.set(|weather| weather.sync_fails = 0);
        desk.do_all(vec![Operation::Sync { file }]);
        lost += usize::from(desk.crash().contents("file").unwrap() == [1; BLOCK_LEN_BYTES]);
    }
    assert_eq!(lost, 50);
}

#[test]
fn what_is_under_way_at_a_crash_may_have_been_done() {
    let mut seen = BTreeSet::new();
    for seed in 0..100 {
        let mut desk = synced(seed, b"old");
        desk.submit(Operation::Remove { path: "/data/file".into() });
        desk.submit(Operation::SyncDirectory { directory: "/data".into() });
        seen.insert(desk.crash().contents("file"));
    }
    assert_eq!(seen.len(), 2);
}

#[test]
fn troubles_are_those_that_were_ordered() {
    let mut desk = Desk::empty(1);
    let file = desk.create("file");
    let number = |result: io::Result<Output>| result.unwrap_err().raw_os_error().unwrap();
    desk.set(|weather| weather.capacity_bytes = 2 * BLOCK_LEN_BYTES as u64);
    assert_eq!(number(desk.write(file, 0, vec![1; 3 * BLOCK_LEN_BYTES])), 28);
    desk.set(|weather| weather.capacity_bytes = u64::MAX);
    desk.set(|weather| weather.write_fails = 100);
    assert_eq!(number(desk.write(file, 0, vec![1; BLOCK_LEN_BYTES])), 5);
    desk.set(|weather| (weather.write_fails, weather.is_read_only) = (0, true));
    assert_eq!(number(desk.write(file, 0, vec![1; BLOCK_LEN_BYTES])), 30);
    let path = desk.path("other");
    assert_eq!(number(desk.run_one(Operation::Create { path })), 30);
    desk.set(|weather| *weather = DiskWeather { directory_fails: 100, ..DiskWeather::calm() });
    let (from, to) = (desk.path("file"), desk.path("other"));
    assert_eq!(number(desk.run_one(Operation::Rename { from, to })), 5);
    desk.set(|weather| weather.directory_fails = 0);
    desk.storage.borrow_mut().remove_directory("/data");
    let path = desk.path("other");
    assert_eq!(number(desk.run_one(Operation::Create { path: path.clone() })), 2);
    desk.write(file, 0, vec![1; BLOCK_LEN_BYTES]).unwrap();
    desk.storage.borrow_mut().make_directory("/data/");
    assert!(desk.run_one(Operation::Create { path }).is_ok());
    assert_eq!(desk.storage.borrow().list("/data"), ["other"]);
}

fn breaks_the_contract(operations: fn(FileId) -> Vec<Operation>) {
    let mut desk = Desk::empty(1);
    let file = desk.create("file");
    for operation in operations(file) {
        desk.submit(operation);
    }
}

#[test]
#[should_panic(expected = "contract: FileId(1) is synced with a write under way")]
fn a_sync_must_wait_for_writes() {
    breaks_the_contract(|file| {
        let write = Operation::Write { file, offset_bytes: 0, bytes: vec![1; BLOCK_LEN_BYTES] };
        vec![write, Operation::Sync { file }]
    });
}

#[test]
#[should_panic(expected = "contract: a write of 10 bytes is not the end of FileId(1)")]
fn only_the_end_may_fill_no_block() {
    breaks_the_contract(|file| {
        let end = Operation::Write { file, offset_bytes: 4096, bytes: vec![1; 4096] };
        vec![end, Operation::Write { file, offset_bytes: 0, bytes: vec![1; 10] }]
    });
}

#[test]
fn a_seed_reproduces_everything() {
    let run = |seed| {
        let mut desk = Desk::empty(seed);
        desk.storage.borrow_mut().set_weather(DiskWeather::draw(&mut fastrand::Rng::with_seed(seed)));
        let mut text = String::new();
        for round in 0..30 {
            let path = desk.path(&format!("{}", round % 4));
            let made = desk.run_one(Operation::Create { path });
            text += &format!("{made:?}");
            let Ok(Output::File(file)) = made else { continue };
            text += &format!("{:?}", desk.write(file, 0, vec![round; 5000]).map(drop));
            text += &format!("{:?}", desk.run_one(Operation::Sync { file }));
        }
        let sights = desk.storage.borrow().sights();
        let after = desk.crash();
        let files: Vec<_> = (0..4).map(|name| after.contents(&format!("{name}"))).collect();
        (format!("{text}{sights:?}{files:?}"), sights.failures)
    };
    let mut failures = 0;
    for seed in 0..50 {
        let first = run(seed);
        assert_eq!(first, run(seed));
        failures += first.1;
    }
    assert!(failures > 0, "some weather is bad");
}

#[test]
fn a_world_can_go_on_with_the_disk_of_another() {
    let config = tessera_config::Config::default();
    let world = tessera_sim::World::with_config(3, Weather::calm(), false, 7, config.clone());
    world.disk().put("kept", b"kept".to_vec());
    let storage = world.crash();
    let mut world = tessera_sim::World::on_disk(5, Weather::calm(), false, 8, config.clone(), storage);
    assert_eq!(world.disk().contents("./kept"), Some(&b"kept"[..]));
    world.shut_down();
    let world = tessera_sim::World::on_disk(1, Weather::calm(), false, 9, config, world.into_disk());
    assert_eq!(world.disk().list("."), ["kept"]);
}
