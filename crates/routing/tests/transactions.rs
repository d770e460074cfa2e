//! Transactions over several owners, whose messages arrive in any order that the channels between two nodes allow.
//! Money is moved between accounts of different shards; whoever reads all accounts must find all of it, and everybody
//! must come to an end.

use std::collections::{BTreeMap, VecDeque};
use tessera_command::{Command, Registry};
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::intents::{Access, Admission, Fingerprint, Wants};
use tessera_routing::message::{Acquire, ErrandKind, Part, Progress, Replied, When, Work};
use tessera_routing::parts::{Mode, PartsAsker, Share};
use tessera_routing::{Answer, Errand, Intents, Parts, ShardId, Ticket, TransactionId};

const START: i64 = 100;
const ACCOUNTS: usize = 4;

/// One shard: its accounts, and who holds them. It does what a node's owner does, without a shard.
#[derive(Default)]
struct Owner {
    accounts: BTreeMap<Vec<u8>, i64>,
    intents: Intents<Errand>,
    staged: BTreeMap<TransactionId, Vec<Part>>,
    out: Vec<(u16, Message)>,
    me: ShardId,
}

enum Message {
    Errand(Errand),
    Answer(Ticket, Answer),
    Wound(Ticket),
}

impl Owner {
    /// `GET account` reads, `INCRBY account amount` changes.
    fn run(&mut self, parts: &[Part]) -> Vec<Replied> {
        let run = |part: &Part| {
            let args = part.words.as_args();
            let account = self.accounts.entry(args[1].to_vec()).or_insert(START);
            let amount = args.get(2).map_or("0".into(), String::from_utf8_lossy);
            *account += amount.parse::<i64>().expect("an amount");
            Replied { number: part.number, reply: account.to_string().into_bytes(), duration_ns: 0 }
        };
        parts.iter().map(run).collect()
    }

    fn answer(&mut self, errand: &Errand, progress: Progress, replies: Vec<Replied>) {
        let answer = Answer { progress: Some(progress), replies, ..Answer::default() };
        self.out.push((errand.transaction.home, Message::Answer(errand.ticket, answer)));
    }

    fn take(&mut self, errand: Errand) {
        let id = errand.transaction;
        match errand.kind {
            ErrandKind::Acquire(ref acquire) => {
                if matches!(acquire.when, When::IfFree | When::Alone)
                    && self.intents.are_free(id, &acquire.wants)
                {
                    let Work::Run(parts) = &acquire.work else { panic!("nobody looks") };
                    let replies = self.run(parts);
                    return self.answer(&errand, Progress::Done, replies);
                }
                if acquire.when == When::IfFree {
                    self.answer(&errand, Progress::Waits, Vec::new());
                }
                let wants = acquire.wants.clone();
                self.admit(wants, errand);
            }
            ErrandKind::Yield => {
                let wants = self.intents.release(id).expect("it holds");
                let parts = self.staged.remove(&id).expect("it was staged");
                let acquire = Acquire {
                    wants: wants.clone(),
                    watched: Vec::new(),
                    work: Work::Run(parts),
                    when: When::Committed,
                };
                self.admit(wants, Errand { kind: ErrandKind::Acquire(Box::new(acquire)), ..errand });
            }
            ErrandKind::Commit => {
                let parts = self.staged.remove(&id).expect("it was staged");
                let replies = self.run(&parts);
                assert!(self.intents.release(id).is_some(), "it holds its keys until then");
                self.answer(&errand, Progress::Done, replies);
            }
            ErrandKind::Release => {
                self.intents.release(id);
            }
            _ => panic!("no step of parts"),
        }
        while let Some((_, errand)) = self.intents.next_ready() {
            self.granted(errand);
        }
    }

    fn admit(&mut self, wants: Wants, errand: Errand) {
        let admission = self.intents.admit(errand.transaction, wants, errand, false);
        for TransactionId { home, connection, sequence, .. } in self.intents.take_wounded() {
            let ticket = Ticket { connection, sequence, part: u32::from(self.me) };
            self.out.push((home, Message::Wound(ticket)));
        }
        if let Admission::Granted(errand) = admission {
            self.granted(errand);
        }
    }

    fn granted(&mut self, errand: Errand) {
        let ErrandKind::Acquire(acquire) = &errand.kind else { panic!("it asks for keys") };
        let Work::Run(parts) = &acquire.work else { panic!("nobody looks") };
        let parts = parts.clone();
        match acquire.when {
            When::Held => {
                let replies = self.run(&parts);
                self.answer(&errand, Progress::Held, replies);
            }
            When::Alone => {
                let replies = self.run(&parts);
                self.intents.release(errand.transaction);
                self.answer(&errand, Progress::Done, replies);
            }
            When::Committed | When::IfFree => {
                self.staged.insert(errand.transaction, parts);
                self.answer(&errand, Progress::Held, Vec::new());
            }
        }
    }
}

fn account(number: usize) -> (ShardId, Vec<u8>) {
    ((number / ACCOUNTS) as ShardId, format!("account:{number}").into_bytes())
}

struct Client {
    parts: Option<(Parts, Access)>,
    sequence: u32,
    left: u32,
}

/// What `seed` has happen to so many clients on so many shards.
struct Play {
    random: fastrand::Rng,
    owners: Vec<Owner>,
    clients: Vec<Client>,
    /// What is on its way, from and to each node, in order.
    channels: BTreeMap<(u16, u16), VecDeque<Message>>,
    now_ns: u64,
    command: &'static Command,
    waited: u64,
}

impl Play {
    fn begin(&mut self, client: usize) {
        let shards = self.owners.len();
        let home = (client % shards) as u16;
        self.clients[client].sequence += 1;
        self.now_ns += self.random.u64(0..2);
        let id = TransactionId {
            began_ns: self.now_ns,
            home,
            connection: client as u64,
            sequence: self.clients[client].sequence,
        };
        let all = shards * ACCOUNTS;
        let (access, whole, amounts): (_, bool, Vec<(usize, i64)>) = match self.random.u8(..4) {
            0 => (Access::Read, false, (0..all).map(|number| (number, 0)).collect()),
            1 => (Access::Read, true, (0..all).map(|number| (number, 0)).collect()),
            kind => {
                let amount = self.random.i64(1..9);
                let [from, to] = [self.random.usize(..all), self.random.usize(..all)];
                (Access::Write, kind == 3 && self.random.u8(..4) == 0, vec![(from, -amount), (to, amount)])
            }
        };
        let mut by_shard: BTreeMap<ShardId, Vec<(u32, Vec<u8>, i64)>> = BTreeMap::new();
        for (index, (number, amount)) in amounts.iter().enumerate() {
            let (shard, key) = account(*number);
            by_shard.entry(shard).or_default().push((index as u32, key, *amount));
        }
        let share = |(shard, accounts): (ShardId, Vec<(u32, Vec<u8>, i64)>)| {
            let keys = accounts.iter().map(|(_, key, _)| (&**key, access));
            let wants = if whole { Wants::whole(access) } else { Wants::keys(keys) };
            let part = |(number, key, amount): &(u32, Vec<u8>, i64)| Part {
                number: *number,
                command: self.command,
                words: OwnedArgs::from_words([
                    b"INCRBY".to_vec(),
                    key.clone(),
                    amount.to_string().into_bytes(),
                ]),
                protocol: Protocol::Resp2,
            };
            Share { shard, wants, watched: Vec::new(), parts: accounts.iter().map(part).collect() }
        };
        let shares = by_shard.into_iter().map(share).collect();
        let mode = if access == Access::Read { Mode::Read } else { Mode::Write };
        let asker = PartsAsker { mode, db: 0, touch: true };
        let (parts, errands) = Parts::start(id, home, asker, shares);
        self.clients[client].parts = Some((parts, access));
        self.send(home, errands);
    }

    fn send(&mut self, home: u16, errands: Vec<(ShardId, Errand)>) {
        for (shard, errand) in errands {
            self.channels.entry((home, shard)).or_default().push_back(Message::Errand(errand));
        }
    }

    fn answered(&mut self, client: usize, home: u16, errands: Vec<(ShardId, Errand)>, is_done: bool) {
        self.send(home, errands);
        if !is_done {
            return;
        }
        let (mut parts, access) = self.clients[client].parts.take().expect("it is under way");
        let replies = parts.take_replies();
        if access == Access::Read {
            let amounts =
                replies.iter().map(|replied| String::from_utf8_lossy(&replied.reply).parse::<i64>());
            let sum: i64 = amounts.map(|amount| amount.expect("an amount")).sum();
            assert_eq!(sum, START * (self.owners.len() * ACCOUNTS) as i64, "money is lost on its way");
        }
        self.clients[client].left -= 1;
    }

    fn deliver(&mut self, from: u16, to: u16) {
        let Some(message) = self.channels.get_mut(&(from, to)).and_then(VecDeque::pop_front) else { return };
        match message {
            Message::Errand(errand) => {
                let owner = &mut self.owners[usize::from(to)];
                owner.take(errand);
                for (home, message) in std::mem::take(&mut owner.out) {
                    self.channels.entry((to, home)).or_default().push_back(message);
                }
            }
            Message::Answer(ticket, answer) => {
                self.waited += u64::from(answer.progress == Some(Progress::Waits));
                let client = ticket.connection as usize;
                let Some((parts, _)) = &mut self.clients[client].parts else { return };
                let (errands, is_done) = parts.answer(ticket.part as ShardId, answer);
                self.answered(client, to, errands, is_done);
            }
            Message::Wound(ticket) => {
                let client = ticket.connection as usize;
                if self.clients[client].sequence != ticket.sequence {
                    return;
                }
                let Some((parts, _)) = &mut self.clients[client].parts else { return };
                let errands = parts.yield_at(ticket.part as ShardId);
                self.send(to, errands);
            }
        }
    }

    fn run(&mut self) {
        for _ in 0..1_000_000 {
            let idle = |client: &Client| client.parts.is_none() && client.left > 0;
            let idle: Vec<usize> = (0..self.clients.len()).filter(|at| idle(&self.clients[*at])).collect();
            let busy: Vec<(u16, u16)> =
                self.channels.iter().filter(|(_, queue)| !queue.is_empty()).map(|(pair, _)| *pair).collect();
            if idle.is_empty() && busy.is_empty() {
                let is_over = |client: &Client| client.parts.is_none() && client.left == 0;
                assert!(self.clients.iter().all(is_over), "some wait for each other");
                assert!(self.owners.iter().all(|owner| owner.intents.is_empty()), "something is held still");
                return;
            }
            match self.random.usize(..idle.len() + busy.len()) {
                at if at < idle.len() => self.begin(idle[at]),
                at => {
                    let (from, to) = busy[at - idle.len()];
                    self.deliver(from, to);
                }
            }
        }
        panic!("they do not come to an end");
    }
}

fn play(shards: usize, clients: usize, seed: u64, command: &'static Command) -> u64 {
    let owner = |me: usize| Owner { me: me as ShardId, ..Owner::default() };
    let mut play = Play {
        random: fastrand::Rng::with_seed(seed),
        owners: (0..shards).map(owner).collect(),
        clients: (0..clients).map(|_| Client { parts: None, sequence: 0, left: 12 }).collect(),
        channels: BTreeMap::new(),
        now_ns: 0,
        command,
        waited: 0,
    };
    play.run();
    play.waited
}

#[test]
fn nobody_sees_half_of_a_transaction_and_everybody_comes_to_an_end() {
    let registry = Registry::new(&tessera_commands::COMMANDS);
    let words = OwnedArgs::from_words(["INCRBY", "key", "1"]);
    let Ok(command) = registry.resolve(words.as_args()) else { panic!("it is a command") };
    let mut waited = 0;
    for seed in 0..400 {
        let shards = 2 + seed as usize % 4;
        waited += play(shards, 2 + seed as usize % 7, seed, command);
    }
    assert!(waited > 100, "they were hardly in each other's way: {waited}");
}

#[test]
fn keys_are_known_by_their_names() {
    assert_eq!(Fingerprint::of(b"key"), Fingerprint::of(b"key"));
    assert_ne!(Fingerprint::of(b"key"), Fingerprint::of(b"kez"));
}
