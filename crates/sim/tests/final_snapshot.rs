//! A final snapshot that fails, so that the server goes on.

use tessera_sim::storage::DiskWeather;
use tessera_sim::table::Table;

/// Programs wait for it, for ever otherwise.
#[test]
fn what_was_given_up_for_it_is_not_under_way_any_more() {
    for nodes in 1..4 {
        let mut table = Table::new(nodes);
        let slow = DiskWeather { slow: 99, ..DiskWeather::calm() };
        table.world.disk().set_weather(slow);
        assert_eq!(table.ask("BGSAVE"), "+Background saving started\r\n");
        while !table.world.disk().list("/data").iter().any(|name| name.ends_with("-shard0.rdb")) {
            table.step();
        }
        assert!(table.ask("INFO persistence").contains("rdb_bgsave_in_progress:1\r\n"));
        table.world.disk().remove_directory("/data");
        assert_eq!(table.ask("SHUTDOWN SAVE"), "-ERR Errors trying to SHUTDOWN. Check logs.\r\n");
        let told = table.ask("INFO persistence");
        assert!(told.contains("rdb_bgsave_in_progress:0\r\n"), "{told}");
        assert!(told.contains("rdb_current_bgsave_time_sec:-1\r\n"), "{told}");
        table.world.disk().make_directory("/data");
        assert_eq!(table.ask("SAVE"), "+OK\r\n");
        table.world.shut_down();
    }
}
