//! What is counted of commands that are answered when something else is done.

use tessera_sim::client::Client;
use tessera_sim::weather::Weather;
use tessera_sim::world::{Step, World};

/// One client's server.
struct Table {
    world: World,
    client: Client,
}

impl Table {
    fn new(nodes: usize) -> Table {
        let world = World::new(nodes, Weather::calm(), false, 7);
        let client = Client::new(world.kernel().connect(0), 7);
        Table { world, client }
    }

    fn ask(&mut self, command: &[&str]) -> String {
        self.client.say(&command.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>());
        self.world.note_answer();
        loop {
            if let Some(reply) = self.client.replies.pop_front() {
                return String::from_utf8_lossy(&reply).into_owned();
            }
            let (weather, step) = (*self.world.weather(), self.world.steps());
            self.client.act(&mut self.world.kernel(), &weather, step);
            if self.world.step() == Step::Idle {
                self.world.sleep();
            }
        }
    }

    /// A line of INFO, without times.
    fn line(&mut self, section: &str, name: &str) -> String {
        let told = self.ask(&["INFO", section]);
        let line = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let counters = line.unwrap_or("nothing").split(',').filter(|counter| !counter.starts_with("usec"));
        counters.collect::<Vec<_>>().join(",")
    }
}

/// The numbers are those of Redis 7.2.6, whose dump.rdb was made a directory so that nothing could be saved.
#[test]
fn what_cannot_be_saved_has_failed() {
    for nodes in 1..4 {
        let mut table = Table::new(nodes);
        assert_eq!(table.ask(&["CONFIG", "RESETSTAT"]), "+OK\r\n");
        table.world.disk().remove_directory("/data");
        assert_eq!(table.ask(&["SAVE"]), "-ERR\r\n");
        assert_eq!(table.ask(&["SHUTDOWN", "SAVE"]), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
        assert_eq!(table.ask(&["SAVE", "x"]), "-ERR wrong number of arguments for 'save' command\r\n");
        assert_eq!(table.ask(&["CONFIG", "SET", "save", "100 1"]), "+OK\r\n");
        assert_eq!(table.ask(&["FLUSHALL"]), "+OK\r\n");
        for (section, name, counters) in [
            ("commandstats", "cmdstat_save", "calls=1,rejected_calls=1,failed_calls=1"),
            ("commandstats", "cmdstat_shutdown", "calls=1,rejected_calls=0,failed_calls=1"),
            ("commandstats", "cmdstat_flushall", "calls=1,rejected_calls=0,failed_calls=0"),
            ("errorstats", "errorstat_ERR", "count=3"),
            ("stats", "total_error_replies", "3"),
        ] {
            assert_eq!(table.line(section, name), counters, "{name} on {nodes} shards");
        }
        table.world.disk().make_directory("/data");
        assert_eq!(table.ask(&["SAVE"]), "+OK\r\n");
        let counters = "calls=2,rejected_calls=1,failed_calls=1";
        assert_eq!(table.line("commandstats", "cmdstat_save"), counters, "on {nodes} shards");
        table.world.shut_down();
    }
}
