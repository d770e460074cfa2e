//! What is counted of commands, wherever they run and whenever they are answered.

use tessera_sim::generate::{Generator, Kind};
use tessera_sim::script::{Action, Check, play};
use tessera_sim::table::Table;
use tessera_sim::weather::Weather;
use tessera_sim::world::World;

/// A line of INFO, without times.
fn line_of_info(table: &mut Table, section: &str, name: &str) -> String {
    let told = table.ask(&format!("INFO {section}"));
    let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let counters = line.unwrap_or("nothing").split(',').filter(|counter| !counter.starts_with("usec"));
    counters.collect::<Vec<_>>().join(",")
}

/// The numbers are those of Redis 7.2.6, whose dump.rdb was made a directory so that nothing could be saved.
#[test]
fn what_cannot_be_saved_has_failed() {
    for nodes in 1..4 {
        let mut table = Table::new(nodes);
        assert_eq!(table.ask("CONFIG RESETSTAT"), "+OK\r\n");
        table.world.disk().remove_directory("/data");
        assert_eq!(table.ask("SAVE"), "-ERR\r\n");
        assert_eq!(table.ask("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
        assert_eq!(table.ask("SAVE x"), "-ERR wrong number of arguments for 'save' command\r\n");
        assert_eq!(table.ask_words(&["CONFIG", "SET", "save", "100 1"]), "+OK\r\n");
        assert_eq!(table.ask("FLUSHALL"), "+OK\r\n");
        for (section, name, counters) in [
            ("commandstats", "cmdstat_save", "calls=1,rejected_calls=1,failed_calls=1"),
            ("commandstats", "cmdstat_shutdown", "calls=1,rejected_calls=0,failed_calls=1"),
            ("commandstats", "cmdstat_flushall", "calls=1,rejected_calls=0,failed_calls=0"),
            ("errorstats", "errorstat_ERR", "count=3"),
            ("stats", "total_error_replies", "3"),
        ] {
            assert_eq!(line_of_info(&mut table, section, name), counters, "{name} on {nodes} shards");
        }
        table.world.disk().make_directory("/data");
        assert_eq!(table.ask("SAVE"), "+OK\r\n");
        let counters = "calls=2,rejected_calls=1,failed_calls=1";
        assert_eq!(line_of_info(&mut table, "commandstats", "cmdstat_save"), counters, "on {nodes} shards");
        table.world.shut_down();
    }
}

/// How often a walk over all keys goes on depends on how many shards there are; the others a player may say goodbye
/// with.
const UNEVEN: [&str; 2] = ["cmdstat_scan", "cmdstat_touch"];

/// Commands of several shards that fail, whatever there is: where they begin, on all shards, or when something was
/// found.
const FAILING: &[&str] = &[
    "MSET a 1 b",
    "FLUSHALL SOON",
    "FLUSHDB SOON",
    "SWAPDB 0 x",
    "SCAN 0 COUNT 0",
    "CLIENT KILL 1.2.3.4:5",
    "CLIENT PAUSE x",
    "RENAME nothing:1 nothing:2",
    "RENAMENX nothing:1 nothing:3",
    "SINTERCARD x a b",
    "BLPOP a b c -1",
    "KEYS",
];

/// What a server has counted of each command of a script and of its errors, without times.
fn counted(nodes: usize, script: &[Action], depth_max: usize) -> Vec<String> {
    let mut world = World::new(nodes, Weather::calm(), false, 7);
    play(&mut world, &[script.to_vec()], depth_max, 7);
    let sections = ["commandstats", "errorstats"];
    let told: Vec<Action> =
        sections.iter().map(|section| Action::call(&["INFO", section], Check::Exact)).collect();
    let replies = play(&mut world, &[told], 1, 7).remove(0);
    world.shut_down();
    let text = String::from_utf8(replies.concat()).expect("text");
    let lines =
        text.lines().filter(|line| line.split_once(':').is_some_and(|(name, _)| !UNEVEN.contains(&name)));
    let line = |line: &str| {
        line.split(',').filter(|counter| !counter.starts_with("usec")).collect::<Vec<_>>().join(",")
    };
    lines.map(line).collect()
}

#[test]
fn many_shards_count_what_one_counts() {
    for seed in 1..7 {
        let failing = FAILING.iter().map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            Action::call(&words, Check::Exact)
        });
        let script: Vec<Action> = failing.chain(Generator::new(Kind::Alone, "", seed).script(400)).collect();
        let expected = counted(1, &script, 1);
        assert!(expected.len() > 50 && expected.iter().any(|line| line.starts_with("errorstat_ERR")));
        for (nodes, depth_max) in [(2, 1), (3, 64), (5, 8)] {
            let got = counted(nodes, &script, depth_max);
            let only_in = |some: &[String], others: &[String]| -> Vec<String> {
                some.iter().filter(|line| !others.contains(line)).cloned().collect()
            };
            let differences = (only_in(&got, &expected), only_in(&expected, &got));
            assert_eq!(
                differences,
                (Vec::new(), Vec::new()),
                "seed {seed}, {nodes} shards, pipelines up to {depth_max}"
            );
        }
    }
}
