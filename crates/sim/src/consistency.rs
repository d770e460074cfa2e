//! Clients that append, set and read, alone and in transactions over all shards, and some of which leave at any moment:
//! what they are told is what one order leads to in which nobody comes before those who had ended, see
//! [`tessera_consistency`].

use crate::client::Client;
use crate::kernel::Sights;
use crate::weather::{Weather, happens};
use crate::world::{Step, World};
use tessera_config::{ByteCount, MaxMemoryPolicy};
use tessera_consistency::History;
use tessera_consistency::work::{Job, Shape, Workload};

/// Few, so that most jobs are in each other's way.
const SHAPE: Shape = Shape { lists: 3, texts: 3, registers: 3, round: 0, jobs_per_kill: 60 };
/// How many of a hundred jobs their client leaves in the middle of.
const LEAVES_PERCENT: u8 = 6;
/// In how many of a hundred turns some time passes at once.
const TIME_PASSES_PERCENT: u8 = 5;

struct Player {
    client: Client,
    number: usize,
    /// What it is at, since which step, and whether it will leave in the middle of it: after so many steps more.
    job: Option<(Job, u64, Option<u64>)>,
    left: usize,
}

struct Play {
    world: World,
    random: fastrand::Rng,
    work: Workload,
    history: History,
}

/// Plays it once; panics at what is wrong.
pub fn play(shards: usize, seed: u64) -> Sights {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut config = World::config();
    if random.bool() {
        // More than what is looked at needs, and less than what passes.
        config.max_memory = ByteCount(random.u64(20_000..50_000));
        config.max_memory_policy = MaxMemoryPolicy::VolatileRandom;
    }
    let weather = Weather::draw(&mut random);
    let wall_moves = random.bool();
    let world = World::with_config(shards, weather, wall_moves, random.u64(..), config);
    let work = Workload::new(SHAPE, random.u64(..));
    let mut play = Play { world, random, work, history: History::default() };
    let clients = play.random.usize(2..8);
    let jobs = play.random.usize(5..30);
    let mut players: Vec<Player> = (0..clients).map(|number| play.player(number, jobs)).collect();
    while players.iter().any(|player| player.left > 0 || player.job.is_some()) {
        play.turn(&mut players);
    }
    for player in players.drain(1..) {
        play.world.kernel().end(player.client.socket, true);
    }
    // Who left in the middle may have left something that is still under way.
    play.world.settle();
    // Also a command that closes all other connections: then everything is read once more.
    let is_answered =
        |history: &History| history.transactions.last().is_some_and(|last| last.ended.is_some());
    loop {
        let (last, began) = (play.work.read_all(), play.world.steps() + 1);
        players[0].begin(last, began, None);
        while players[0].job.is_some() {
            play.turn(&mut players);
        }
        if is_answered(&play.history) {
            break;
        }
    }
    play.world.kernel().end(players[0].client.socket, true);
    if let Err(why) = play.history.check() {
        panic!("no order leads to what was told: {why}");
    }
    play.world.check_empty();
    let sights = play.world.kernel().sights();
    play.world.shut_down();
    sights
}

impl Player {
    fn begin(&mut self, job: Job, step: u64, leaves: Option<u64>) {
        job.commands().iter().for_each(|words| self.client.say(words));
        self.job = Some((job, step, leaves));
    }
}

impl Play {
    fn player(&mut self, number: usize, jobs: usize) -> Player {
        Player { client: self.connect(), number, job: None, left: jobs }
    }

    fn connect(&mut self) -> Client {
        let node = self.random.usize(..self.world.nodes());
        Client::new(self.world.kernel().connect(node), self.random.u64(..))
    }

    /// Lets every client do something, and the nodes as well.
    fn turn(&mut self, players: &mut [Player]) {
        let mut moved = false;
        for player in players.iter_mut() {
            self.begin_next(player);
            let (weather, step) = (*self.world.weather(), self.world.steps());
            moved |= player.client.act(&mut self.world.kernel(), &weather, step);
            moved |= self.end_job(player) || self.leave(player);
        }
        if moved {
            self.world.note_answer();
        }
        if happens(&mut self.random, TIME_PASSES_PERCENT) {
            self.world.clock().jump(self.random.i64(0..30));
        }
        let turns = self.random.usize(1..=4);
        let is_idle = (0..turns).all(|_| self.world.step() == Step::Idle);
        if is_idle && !moved {
            self.world.sleep();
        }
    }

    fn begin_next(&mut self, player: &mut Player) {
        if player.job.is_some() || player.left == 0 || self.random.u8(..3) == 0 {
            return;
        }
        player.left -= 1;
        let leaves = happens(&mut self.random, LEAVES_PERCENT).then(|| self.random.u64(..60));
        let step = self.world.steps();
        player.begin(self.work.draw(), step, leaves.map(|steps| step + steps));
    }

    /// Takes in what a client was told, if that is all.
    fn end_job(&mut self, player: &mut Player) -> bool {
        let Some((job, began, _)) = &player.job else { return false };
        if player.client.replies.len() < job.commands().len() {
            return false;
        }
        let replies: Vec<Vec<u8>> = player.client.replies.drain(..).collect();
        // It was under way in the step in which it was sent, and in the one in which it was answered.
        let times = (began * 2, self.world.steps() * 2 + 1);
        match job.done(player.number, times, &replies) {
            Ok(done) => self.history.transactions.extend(done),
            Err(why) => panic!("{why}"),
        }
        player.job = None;
        true
    }

    /// Has a client leave in the middle of its job, or when it finds its connection closed, and another come.
    fn leave(&mut self, player: &mut Player) -> bool {
        let step = self.world.steps();
        let was_killed = self.world.kernel().is_at_end(player.client.socket);
        let leaves = |at: Option<u64>| was_killed || at.is_some_and(|at| at <= step);
        let Some((job, began, _)) = player.job.take_if(|(_, _, at)| leaves(*at)) else {
            if was_killed {
                player.client = self.connect();
            }
            return was_killed;
        };
        self.history.transactions.push(job.perhaps_done(player.number, began * 2));
        let orderly = self.random.bool();
        self.world.kernel().end(player.client.socket, orderly);
        player.client = self.connect();
        true
    }
}
