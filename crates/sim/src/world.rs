//! Nodes, a kernel and a clock, and the scheduler that gives them their turns.

use crate::clock::VirtualClock;
use crate::disk::VirtualDisk;
use crate::kernel::Kernel;
use crate::network::{VirtualNetwork, VirtualWaker};
use crate::replica::Replica;
use crate::storage::Storage;
use crate::system::NoProcess;
use crate::weather::{Weather, happens};
use std::cell::{RefCell, RefMut};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, OnceLock};
use tessera_command::Registry;
use tessera_config::{Config, SavePoints};
use tessera_keyspace::Shard;
use tessera_node::clock::Clock;
use tessera_node::mesh::Mesh;
use tessera_node::network::PollWait;
use tessera_node::system::System;
use tessera_node::{Node, Shared};

/// After so many steps without an answer, nobody believes in one any more.
const STEPS_WITHOUT_ANSWER_MAX: u64 = 3_000_000;
/// Likewise after so many sleeps until the next timer.
const SLEEPS_WITHOUT_ANSWER_MAX: u64 = 2_000;

/// All commands.
pub fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(|| Registry::new(&tessera_commands::COMMANDS))
}

/// How far a node is in its turn.
#[derive(Clone, Copy)]
enum Stage {
    /// At its beginning.
    Awake,
    /// It has decided how long to wait: it polls, or sleeps until this monotonic time in nanoseconds.
    LyingDown { wait: PollWait, until_ns: u64 },
    /// It has ended.
    Ended,
}

struct Place {
    node: Node<VirtualNetwork, VirtualClock>,
    waker: Arc<VirtualWaker>,
    stage: Stage,
    /// It gets no turn before this step.
    starved_until_step: u64,
    /// What the effects of its shard lead to. There is none before all is loaded.
    replica: Option<Replica>,
}

/// A server and its surroundings.
pub struct World {
    kernel: Rc<RefCell<Kernel>>,
    storage: Rc<RefCell<Storage>>,
    /// The first node's number for the disk.
    first_port: usize,
    clock: VirtualClock,
    shared: Arc<Shared>,
    places: Vec<Place>,
    weather: Weather,
    random: fastrand::Rng,
    step: u64,
    last_answer_step: u64,
    sleeps: u64,
    /// What the shards record is replayed.
    is_replayed: bool,
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Somebody had a turn.
    Turn,
    /// Everybody sleeps, and the kernel has nothing to do.
    Idle,
}

impl World {
    /// A server of `nodes` nodes. Everything random follows from `seed`. `wall_moves`: see [`VirtualClock::new`].
    pub fn new(nodes: usize, weather: Weather, wall_moves: bool, seed: u64) -> World {
        World::with_config(nodes, weather, wall_moves, seed, World::config())
    }

    /// The configuration of a server that saves nothing by itself.
    pub fn config() -> Config {
        Config {
            save: SavePoints::of(Vec::new()),
            dir: "/data".into(),
            // There is always something to defragment, and who is idle would be woken all the time.
            active_defrag_cycle_max: 1,
            ..Config::default()
        }
    }

    /// The same with a configuration.
    pub fn with_config(nodes: usize, weather: Weather, wall_moves: bool, seed: u64, config: Config) -> World {
        // Of its own, so that what the network does with a seed does not depend on the disk.
        let storage = Storage::new(&[&config.dir.to_string_lossy()], !seed);
        let storage = Rc::new(RefCell::new(storage));
        World::build(nodes, weather, wall_moves, seed, config, storage, false).expect("nobody else is there")
    }

    /// The same on a disk that is there already, such as [`World::crash`] left it: what was saved there is loaded.
    pub fn on_disk(
        nodes: usize,
        weather: Weather,
        wall_moves: bool,
        seed: u64,
        config: Config,
        storage: Storage,
    ) -> World {
        let storage = Rc::new(RefCell::new(storage));
        World::build(nodes, weather, wall_moves, seed, config, storage, true).expect("nobody else is there")
    }

    /// Another server on the same disk, which loads what is there.
    ///
    /// # Errors
    /// It does not start, because another has its directory.
    pub fn beside(&self, nodes: usize, weather: Weather, seed: u64, config: Config) -> Result<World, String> {
        World::build(nodes, weather, false, seed, config, self.storage.clone(), true)
    }

    fn build(
        nodes: usize,
        weather: Weather,
        wall_moves: bool,
        seed: u64,
        config: Config,
        storage: Rc<RefCell<Storage>>,
        loads: bool,
    ) -> Result<World, String> {
        let mut random = fastrand::Rng::with_seed(seed);
        let kernel = Rc::new(RefCell::new(Kernel::new(nodes, weather, random.u64(..))));
        let clock = VirtualClock::new(random.u64(..), wall_moves, weather.slow_moment);
        let meshes = Mesh::build(nodes);
        let bells = meshes[0].bells();
        let known = Arc::new(OnceLock::new());
        let system = Box::new(NoProcess {
            shards: nodes,
            shared: known.clone(),
            seed: AtomicU64::new(seed),
            locks: storage.borrow().locks(),
            held: Mutex::default(),
        });
        system.lock_directory(&config.dir)?;
        let first_port = storage.borrow().next_node();
        let shared = Arc::new(Shared::new(registry(), config, bells, system, clock.unix_us()));
        known.set(Arc::downgrade(&shared)).expect("it was not told before");
        if loads {
            shared.loading.begin(clock.unix_us());
        }
        let places = meshes
            .into_iter()
            .enumerate()
            .map(|(number, mesh)| {
                let network = VirtualNetwork::new(number, kernel.clone());
                let waker = network.virtual_waker();
                let disk = Box::new(VirtualDisk::new(first_port + number, storage.clone(), waker.clone()));
                let node = Node::new(network, disk, clock.clone(), shared.clone(), mesh, random.u64(..));
                Place { node, waker, stage: Stage::Awake, starved_until_step: 0, replica: None }
            })
            .collect();
        let mut world = World {
            kernel,
            storage,
            first_port,
            clock,
            shared,
            places,
            weather,
            random,
            step: 0,
            last_answer_step: 0,
            sleeps: 0,
            is_replayed: false,
        };
        if !loads {
            world.begin_replicas();
        }
        Ok(world)
    }

    /// The sockets.
    pub fn kernel(&self) -> RefMut<'_, Kernel> {
        self.kernel.borrow_mut()
    }

    /// The disk.
    pub fn disk(&self) -> RefMut<'_, Storage> {
        self.storage.borrow_mut()
    }

    /// Ends everything at once, between two steps. Answers what the disk holds afterwards.
    pub fn crash(mut self) -> Storage {
        self.check_effects();
        self.storage.borrow_mut().crash()
    }

    /// Leaves the nodes behind. Answers the disk as it is; nothing is under way on it.
    pub fn into_disk(self) -> Storage {
        self.storage.borrow_mut().restart()
    }

    /// The clock of all nodes.
    pub fn clock(&self) -> &VirtualClock {
        &self.clock
    }

    /// What the nodes share.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// How unkind it is.
    pub fn weather(&self) -> &Weather {
        &self.weather
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.places.len()
    }

    /// Steps so far.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Notes that a client got something: the patience for the next answer begins anew.
    pub fn note_answer(&mut self) {
        self.last_answer_step = self.step;
        self.sleeps = 0;
    }

    /// Lets somebody go on: the kernel, and a node that has a reason to.
    pub fn step(&mut self) -> Step {
        self.step += 1;
        assert!(
            self.step - self.last_answer_step < STEPS_WITHOUT_ANSWER_MAX,
            "the nodes are busy without end, and no client gets an answer\n{}",
            self.describe()
        );
        let worked = self.kernel.borrow_mut().progress() | self.storage.borrow_mut().progress();
        let able: Vec<usize> = (0..self.places.len()).filter(|node| self.is_able(*node)).collect();
        let fed: Vec<usize> =
            able.iter().copied().filter(|node| self.places[*node].starved_until_step <= self.step).collect();
        if fed.is_empty() {
            let disk_is_busy = self.storage.borrow().is_busy();
            if disk_is_busy {
                self.clock.advance(self.random.u64(..5_000));
            }
            let busy = worked || disk_is_busy || !able.is_empty() || self.kernel.borrow().is_busy();
            return if busy { Step::Turn } else { Step::Idle };
        }
        let node = fed[self.random.usize(..fed.len())];
        if self.random.u16(..1000) < u16::from(self.weather.starve) {
            self.places[node].starved_until_step = self.step + self.random.u64(..self.weather.starve_steps);
        }
        self.go_on(node);
        if !self.is_replayed && !self.shared.loading.is_loading() {
            self.begin_replicas();
        }
        self.clock.advance(self.random.u64(..5_000));
        Step::Turn
    }

    fn is_able(&mut self, node: usize) -> bool {
        let place = &self.places[node];
        match place.stage {
            Stage::Awake | Stage::LyingDown { wait: PollWait::None, .. } => true,
            Stage::Ended => false,
            Stage::LyingDown { until_ns, .. } => {
                let rung = place.waker.is_rung();
                assert!(
                    rung || !place.node.core().has_mail(),
                    "node {node} sleeps, has mail, and was not rung"
                );
                assert!(
                    rung || !place.node.core().owes_memory(),
                    "node {node} sleeps, has keys to evict, and was not rung"
                );
                assert!(
                    rung || !self.storage.borrow().has_completions(self.first_port + node),
                    "node {node} sleeps, its disk has done something, and it was not rung"
                );
                rung || self.clock.now_ns() >= until_ns
                    || self.kernel.borrow().has_events(node)
                    || happens(&mut self.random, self.weather.spurious)
            }
        }
    }

    fn go_on(&mut self, node: usize) {
        let place = &mut self.places[node];
        place.stage = match place.stage {
            Stage::Awake => {
                let wait = place.node.lie_down();
                // A driver submits before it sleeps.
                self.kernel.borrow_mut().submit(node);
                let sleep_ns = match wait {
                    PollWait::None => 0,
                    PollWait::AtMost(duration) => duration.as_nanos() as u64,
                };
                Stage::LyingDown { wait, until_ns: self.clock.now_ns() + sleep_ns }
            }
            Stage::LyingDown { wait, .. } => match place.node.work(wait) {
                ControlFlow::Continue(()) => Stage::Awake,
                ControlFlow::Break(result) => {
                    let has_failed = self.kernel.borrow().has_failed(node);
                    assert_eq!(result.is_err(), has_failed, "a node fails if its network does");
                    Stage::Ended
                }
            },
            Stage::Ended => Stage::Ended,
        };
    }

    fn describe(&self) -> String {
        let nodes = self.places.iter().enumerate();
        nodes.map(|(number, place)| format!("node {number}: {}", place.node.core().describe())).collect()
    }

    /// Everybody sleeps: lets the time pass until the first wants to wake.
    pub fn sleep(&mut self) {
        self.sleeps += 1;
        // Steps are what lazy clients and starved nodes count by.
        self.step += 50;
        self.last_answer_step += 50;
        assert!(
            self.sleeps < SLEEPS_WITHOUT_ANSWER_MAX,
            "everybody sleeps, and no client gets an answer: a reply is lost\n{}",
            self.describe()
        );
        let timers = self.places.iter().filter_map(|place| match place.stage {
            Stage::LyingDown { until_ns, .. } => Some(until_ns),
            _ => None,
        });
        if let Some(first_ns) = timers.min() {
            self.clock.advance(first_ns.saturating_sub(self.clock.now_ns()));
        }
    }

    /// Goes on until nothing is under way anywhere.
    pub fn settle(&mut self) {
        let mut quiet_sleeps = 0;
        self.note_answer();
        while quiet_sleeps < 3 {
            if self.step() == Step::Idle {
                quiet_sleeps = if self.is_quiet() { quiet_sleeps + 1 } else { 0 };
                self.sleep();
            }
        }
    }

    /// Nothing is under way anywhere.
    pub fn is_quiet(&self) -> bool {
        self.kernel.borrow().is_quiet()
            && self.storage.borrow().is_quiet()
            && self.places.iter().all(|place| place.node.core().is_quiet())
    }

    /// Checks that nothing of a client is left, once all have gone.
    pub fn check_empty(&mut self) {
        self.settle();
        let left = self.kernel.borrow().adopted_len();
        assert_eq!(left, 0, "sockets were not closed\n{}", self.describe());
        assert_eq!(self.shared.clients(), 0, "clients are counted that are not there");
        self.check_effects();
        for place in &self.places {
            assert_eq!(place.node.core().connections_len(), 0, "connections were not forgotten");
            let watched = place.node.core().shard().watched_keys_len();
            assert_eq!(watched, 0, "keys are watched by nobody");
        }
    }

    /// All nodes have ended.
    pub fn has_ended(&self) -> bool {
        self.places.iter().all(|place| matches!(place.stage, Stage::Ended))
    }

    /// Ends the server and checks that all nodes do end.
    pub fn shut_down(&mut self) {
        self.shared.shut_down();
        self.await_end();
    }

    /// Waits until all nodes have ended, and checks that their shards have recorded what they did.
    pub fn await_end(&mut self) {
        self.note_answer();
        while !self.has_ended() {
            if self.step() == Step::Idle {
                self.sleep();
            }
        }
        self.check_effects();
    }

    /// The shards.
    pub fn shards(&self) -> impl Iterator<Item = &Shard> {
        self.places.iter().map(|place| place.node.core().shard())
    }

    /// From now on the effects of each shard are replayed by itself, beginning with what it holds: all is loaded.
    fn begin_replicas(&mut self) {
        self.is_replayed = true;
        for place in &mut self.places {
            place.node.effects_mut().set_recording(true);
            place.replica = Some(Replica::of(place.node.core().shard()));
        }
    }

    /// Checks that what the shards have recorded, each replayed by itself, leads to what each of them holds.
    fn check_effects(&mut self) {
        // What is loaded again is not recorded.
        if self.shared.loading.is_loading() {
            return;
        }
        for place in &mut self.places {
            if let Some(replica) = &mut place.replica {
                let recorded = place.node.effects_mut().take();
                replica.follow(place.node.core().shard(), recorded);
            }
        }
    }

    /// Keys in all shards and databases.
    pub fn keys_len(&self) -> usize {
        let of_node = |place: &Place| {
            let shard = place.node.core().shard();
            (0..shard.databases_len()).map(|db| shard.database(db as u16).len()).sum::<usize>()
        };
        self.places.iter().map(of_node).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::{Action, Check, play};

    fn loaded_world() -> World {
        let mut world = World::new(2, Weather::calm(), false, 1);
        let pairs = (0..20).map(|number| {
            let (key, text) = (format!("key:{number}"), format!("text:{number}"));
            Action::call(&["SET", &key, &text], Check::Exact)
        });
        let script = pairs.chain([Action::call(&["SAVE"], Check::Exact)]).collect();
        play(&mut world, &[script], 1, 1);
        world.shut_down();
        World::on_disk(3, Weather::calm(), false, 2, World::config(), world.into_disk())
    }

    fn append_to_all(world: &mut World) {
        let appends =
            (0..20).map(|number| Action::call(&["APPEND", &format!("key:{number}"), "+"], Check::Exact));
        let replies = play(world, &[appends.collect()], 4, 1).remove(0);
        assert_eq!(replies[3], b":7\r\n", "it was not loaded");
    }

    #[test]
    fn what_is_recorded_leads_from_what_was_loaded_to_what_is_there() {
        let mut world = loaded_world();
        world.settle();
        append_to_all(&mut world);
        world.shut_down();
    }

    #[test]
    fn a_loaded_world_notices_what_was_not_recorded() {
        for lost in 0..3 {
            let mut world = loaded_world();
            world.settle();
            world.places[lost].node.effects_mut().set_recording(false);
            let noticed =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| append_to_all(&mut world)));
            assert!(noticed.is_err(), "what shard {lost} did not record");
        }
    }
}
