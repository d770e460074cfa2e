//! A few seeds of every scenario. `cargo run -p tessera-sim -- --seconds 600` plays as many as there is time for.

use tessera_sim::kernel::Sights;
use tessera_sim::scenarios::Scenario;

fn play(scenario: Scenario, shards: &[usize], seeds: std::ops::Range<u64>) -> Vec<Sights> {
    let mut sights = Vec::new();
    for seed in seeds {
        for shards in shards {
            let name = scenario.name();
            let again = format!("tessera-sim --seed {seed} --rounds 1 --shards {shards} --only {name}");
            let played = std::panic::catch_unwind(|| scenario.run(*shards, seed));
            sights.push(played.unwrap_or_else(|_| panic!("to see it again: {again}")));
        }
    }
    sights
}

#[test]
fn many_shards_equal_one() {
    let sights = play(Scenario::Equal, &[2, 3, 5, 8], 1..3);
    assert!(sights.iter().any(|sights| sights.moved_blocks > 10));
}

#[test]
fn clients_with_keys_of_their_own_do_not_disturb_each_other() {
    let sights = play(Scenario::Crowd, &[2, 3, 5], 1..4);
    // What the weather is for has happened.
    assert!(sights.iter().any(|sights| sights.direct_whole > 0));
    assert!(sights.iter().any(|sights| sights.direct_short > 0));
}

#[test]
fn nothing_is_left_of_clients_that_misbehave() {
    let sights = play(Scenario::Storm, &[1, 2, 5], 1..6);
    assert!(sights.iter().any(|sights| sights.end_in_send > 0));
    assert!(sights.iter().any(|sights| sights.end_in_direct > 0));
}

#[test]
fn full_channels_lose_nothing() {
    let sights = play(Scenario::Flood, &[2, 3], 1..3);
    assert!(sights.iter().any(|sights| sights.pauses > 0));
}

#[test]
fn monitors_are_shown_every_command_once() {
    play(Scenario::Monitors, &[1, 2, 5], 1..8);
}

#[test]
fn who_asks_for_little_is_served_soon() {
    play(Scenario::Neighbours, &[1, 2, 5], 1..4);
}

#[test]
fn memory_stays_within_its_bound() {
    play(Scenario::Memory, &[1, 2, 3, 5], 0..16);
}

#[test]
fn what_was_received_runs_although_the_client_has_gone() {
    let sights = play(Scenario::Leavers, &[1, 2, 3, 5], 1..25);
    assert!(sights.iter().any(|sights| sights.pauses > 0));
}

#[test]
fn clients_that_wait_for_lists_are_served_in_order_and_nothing_is_lost() {
    play(Scenario::Queues, &[1, 2, 3, 5], 1..6);
}

#[test]
fn snapshots_are_of_one_moment_and_survive_crashes() {
    let sights = play(Scenario::Snapshots, &[1, 2, 3, 5], 1..8);
    assert!(sights.iter().any(|sights| sights.moved_blocks > 100));
}

#[test]
fn long_replies_are_of_one_moment_whatever_becomes_of_the_value() {
    play(Scenario::Streams, &[1, 2, 3, 5], 1..4);
}

#[test]
fn a_data_directory_is_not_lost() {
    play(Scenario::Directory, &[1, 2, 3], 0..24);
}

#[test]
fn replayed_effects_give_the_same_data() {
    play(Scenario::Effects, &[1, 2, 3], 1..3);
}

#[test]
fn a_seed_plays_the_same_again() {
    for scenario in Scenario::ALL {
        assert_eq!(play(scenario, &[3], 7..8), play(scenario, &[3], 7..8), "{}", scenario.name());
    }
}

#[test]
fn what_clients_are_told_of_transactions_is_what_one_order_leads_to() {
    play(Scenario::Consistency, &[1, 2, 3, 5], 1..25);
}

#[test]
fn races_for_keys_on_several_shards_come_to_the_same_as_some_order() {
    play(Scenario::Races, &[1, 2, 3, 5], 1..40);
}
