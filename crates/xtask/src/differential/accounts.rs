//! What the two servers count of the same commands: calls, refusals, failures and errors.

use super::connection::Connection;
use std::collections::BTreeMap;
use std::io;
use std::time::Duration;
use tessera_resp::scan;

/// What was counted last may be seen a little later.
const TRIES: usize = 20;
/// Between one try and the next.
const PATIENCE: Duration = Duration::from_millis(50);
/// How often these are called depends on what a cursor is.
const UNEVEN: &[&str] = &["cmdstat_scan"];

/// The counters by the names of their lines, without times.
type Accounts = BTreeMap<String, String>;

/// What differs between the accounts of two servers that were sent the same, a line for each.
///
/// # Errors
/// Those of the connections.
pub fn differences(pair: &mut [Connection; 2]) -> io::Result<Vec<String>> {
    let mut differences = Vec::new();
    for _ in 0..TRIES {
        let [first, second] = pair;
        let (expected, got) = (accounts(first)?, accounts(second)?);
        let names = expected.keys().chain(got.keys().filter(|name| !expected.contains_key(*name)));
        let told =
            |accounts: &Accounts, name| accounts.get(name).map_or("nothing", String::as_str).to_owned();
        differences = names
            .filter(|name| expected.get(*name) != got.get(*name))
            .map(|name| format!("{name}: {}, not {}", told(&got, name), told(&expected, name)))
            .collect();
        if differences.is_empty() {
            break;
        }
        std::thread::sleep(PATIENCE);
    }
    Ok(differences)
}

fn accounts(server: &mut Connection) -> io::Result<Accounts> {
    let mut accounts = Accounts::new();
    for section in ["commandstats", "errorstats"] {
        let reply = server.call(&["INFO", section])?;
        let text = String::from_utf8_lossy(scan::text(reply).unwrap_or_default()).into_owned();
        let counters = text.lines().filter_map(|line| line.split_once(':'));
        let counters = counters.filter(|(name, _)| !UNEVEN.contains(name));
        accounts.extend(counters.map(|(name, counters)| (name.to_owned(), without_times(counters))));
    }
    Ok(accounts)
}

fn without_times(counters: &str) -> String {
    let counters = counters.split(',').filter(|counter| !counter.starts_with("usec"));
    counters.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_no_counters() {
        let line = "calls=3,usec=12,usec_per_call=4.00,rejected_calls=0,failed_calls=1";
        assert_eq!(without_times(line), "calls=3,rejected_calls=0,failed_calls=1");
    }
}
