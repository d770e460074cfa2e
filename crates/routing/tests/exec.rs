//! What EXEC comes down to on each shard.

use tessera_command::Registry;
use tessera_command::gather::Context;
use tessera_keyspace::Shard;
use tessera_resp::Protocol;
use tessera_resp::args::OwnedArgs;
use tessera_routing::exec::{ExecAsker, ExecPlan, Planned, is_only_on};
use tessera_routing::intents::{Access, Wants};
use tessera_routing::message::WatchedKey;
use tessera_routing::parts::{Mode, Share};
use tessera_routing::{ShardId, SlotTable};

/// What is known of some lines, of two shards unless said otherwise: `foo` is on the second, `bar` on the first.
struct Planning {
    words: Vec<OwnedArgs>,
    registry: &'static Registry,
    table: SlotTable,
    context: Context,
}

impl Planning {
    fn of(lines: &[&str]) -> Planning {
        Planning {
            words: lines.iter().map(|line| OwnedArgs::from_words(line.split(' '))).collect(),
            registry: Box::leak(Box::new(Registry::new(&tessera_commands::COMMANDS))),
            table: SlotTable::even(2),
            context: Context::of(&Shard::new(1, 1), 0),
        }
    }

    fn planned(&self) -> Vec<Planned<'_>> {
        let planned = self.words.iter().map(|words| {
            let args = words.as_args();
            let command = self.registry.resolve(args).unwrap_or_else(|_| panic!("{words:?}"));
            Planned { command, args, db: 0 }
        });
        planned.collect()
    }

    fn is_only_on(&self, shard: ShardId) -> bool {
        is_only_on(shard, self.planned(), self.context, &self.table)
    }

    fn plan(&self, watched: Vec<(ShardId, WatchedKey)>) -> (Mode, Vec<Share>) {
        let asker = ExecAsker { context: self.context, protocol: Protocol::Resp2, me: 0, table: &self.table };
        let mut plan = ExecPlan::of(self.planned(), asker, |_| vec![1, 0]);
        let commands = self.planned().into_iter().map(|planned| planned.command);
        let shares = plan.shares(commands.collect::<Vec<_>>(), watched, asker);
        (plan.mode(), shares)
    }
}

/// The shard, and what it runs: the parts with their numbers.
fn shown(share: &Share) -> (ShardId, Vec<String>) {
    let line = |words: &OwnedArgs| {
        let words: Vec<_> = words.as_args().iter().map(String::from_utf8_lossy).collect();
        words.join(" ")
    };
    let parts = share.parts.iter().map(|part| format!("{} {}", part.number, line(&part.words)));
    (share.shard, parts.collect())
}

#[test]
fn what_each_shard_does_goes_out_at_once() {
    let lines =
        ["SET foo 1", "GET bar", "MSET bar 2 foo 3", "LMOVE bar {bar}2 LEFT LEFT", "BLPOP foo 0", "DBSIZE"];
    let planning = Planning::of(&lines);
    assert!(!planning.is_only_on(0) && !planning.is_only_on(1));
    let (mode, shares) = planning.plan(Vec::new());
    assert_eq!(mode, Mode::Write);
    let expected = [
        (0, vec!["1 GET bar", "2 MSET bar 2", "4 LMOVE bar {bar}2 LEFT LEFT", "6 DBSIZE"]),
        (1, vec!["0 SET foo 1", "3 MSET foo 3", "5 BLPOP foo 0", "7 DBSIZE"]),
    ];
    for (share, (shard, lines)) in shares.iter().zip(expected) {
        assert_eq!(shown(share), (shard, lines.iter().map(ToString::to_string).collect()));
    }
    let keys = [(&b"bar"[..], Access::Write), (b"{bar}2", Access::Write)];
    assert_eq!(shares[0].wants, Wants::keys(keys).and_whole(Access::Read));
}

#[test]
fn what_one_shard_has_needs_no_plan() {
    for (lines, shard) in [
        (&["SET foo 1", "GET foo", "RENAME foo {foo}2", "BLPOP foo 0", "MGET foo {foo}2"][..], Some(1)),
        (&["SET bar 1", "CLIENT GETNAME", "SELECT 3", "PING"], Some(0)),
        (&["SET bar 1", "GET foo"], None),
        (&["RENAME bar foo"], None),
        (&["MGET foo bar"], None),
        (&["BLPOP foo bar 0"], None),
        (&["LMOVE foo bar LEFT LEFT"], None),
        (&["DBSIZE"], None),
        (&["RANDOMKEY"], None),
        (&["SCAN 0"], None),
        (&["SORT foo BY w*"], None),
        (&["CONFIG RESETSTAT"], None),
    ] {
        let planning = Planning::of(lines);
        let only: Vec<ShardId> = (0..2).filter(|shard| planning.is_only_on(*shard)).collect();
        assert_eq!(only, shard.into_iter().collect::<Vec<_>>(), "{lines:?}");
    }
    // Nothing is wanted of any.
    let planning = Planning::of(&["PING", "SELECT 1"]);
    assert!(planning.is_only_on(0) && planning.is_only_on(1));
}

#[test]
fn what_reads_only_shares_its_keys() {
    let (mode, shares) = Planning::of(&["GET foo", "MGET foo bar"]).plan(Vec::new());
    assert_eq!(mode, Mode::Read);
    assert_eq!(shares[1].wants, Wants::keys([(&b"foo"[..], Access::Read)]));
}

#[test]
fn what_needs_more_than_each_shard_by_itself_only_holds_keys() {
    for (line, is_whole) in [
        ("RENAME foo bar", false),
        ("SELECT 1", false),
        ("CONFIG RESETSTAT", false),
        ("BLPOP foo bar 0", false),
        ("SORT foo BY bar*", true),
    ] {
        let (mode, shares) = Planning::of(&["SET foo 1", line]).plan(Vec::new());
        assert_eq!(mode, Mode::Hold, "{line}");
        assert!(shares.iter().all(|share| share.parts.is_empty()), "{line}");
        let whole = Wants::default().and_whole(Access::Read);
        assert_eq!(shares.iter().any(|share| share.wants == whole), is_whole, "{line}");
    }
}

#[test]
fn words_that_are_wrong_are_refused_where_they_run() {
    let lines = ["MSET foo 1 bar", "BLPOP foo bar text"];
    let (mode, shares) = Planning::of(&lines).plan(Vec::new());
    assert_eq!(mode, Mode::Write);
    let lines = vec!["0 MSET foo 1 bar".to_owned(), "1 BLPOP foo bar text".to_owned()];
    assert_eq!(shown(&shares[0]), (0, lines));
    assert_eq!(shares.len(), 1);
}

#[test]
fn shards_of_what_is_watched_have_a_share() {
    let mut shard = Shard::new(1, 1);
    let watched = WatchedKey { db: 0, key: b"bar"[..].into(), stamp: shard.watch(0, b"bar") };
    let (mode, shares) = Planning::of(&["SET foo 1"]).plan(vec![(0, watched.clone())]);
    assert_eq!(mode, Mode::Write);
    assert_eq!((shares[0].shard, &shares[0].watched), (0, &vec![watched]));
    assert_eq!(shares[0].wants, Wants::keys([(&b"bar"[..], Access::Read)]));
    assert_eq!((shares[1].shard, shares[1].parts.len()), (1, 1));
}
