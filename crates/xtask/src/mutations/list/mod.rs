//! The faults that `cargo xtask mutations` tries: whoever listens to the seam of change is taken out, and what nodes
//! record of commands; what keeps transactions apart is as well.

mod books;
mod effects;
mod held;
mod told;
mod transactions;

use super::{Mutation, Test};

/// All of them, by what they are about.
pub(super) const LISTS: &[&[Mutation]] =
    &[held::MUTATIONS, told::MUTATIONS, effects::MUTATIONS, books::MUTATIONS, transactions::MUTATIONS];

const APART: Test = Test::of_file(
    "routing",
    "transactions",
    "nobody_sees_half_of_a_transaction_and_everybody_comes_to_an_end",
);
const ORDERED: Test =
    Test::of_file("sim", "scenarios", "what_clients_are_told_of_transactions_is_what_one_order_leads_to");
const ANSWERED_BEFORE: Test =
    Test::of_file("sim", "watching", "what_was_answered_before_a_key_is_watched_is_no_change");
const KEPT: Test = Test::of_file(
    "sim",
    "kept_values",
    "commands_of_a_transaction_wait_until_it_is_kept_and_keep_their_order",
);
const ONE_MOMENT: Test =
    Test::of_file("sim", "one_moment", "what_a_transaction_has_found_does_not_go_in_its_midst");
const BEHIND: Test = Test::of_file("sim", "held_keys", "nobody_waits_for_a_list_who_found_something_else");
const ROWS: Test = Test::of_file("sim", "rows", "what_goes_together_is_answered_as_on_one_shard");
const PAUSED: Test = Test::of_file("sim", "pauses", "nothing_changes_once_a_pause_is_answered");
const PAUSED_FOR_VALUE: Test =
    Test::of_file("sim", "pauses", "a_pause_is_answered_when_what_waits_for_a_snapshot_has_been_done");
const HAVE: Test = Test::of_file("routing", "intents", "whoever_can_go_on_does_and_nobody_else");
const TURN: Test =
    Test::of_file("sim", "held_keys", "whoever_changes_a_key_has_their_turn_among_those_that_read_it");
const CIRCLE: Test = Test::of_file("sim", "held_keys", "nobody_waits_in_a_circle_with_single_commands");
const LEFT: Test = Test::of_file("sim", "watching", "whoever_leaves_watches_nothing");
const WATCHED: Test =
    Test::of_library("keyspace", "watched::tests::a_change_is_one_even_if_it_is_taken_back");
const WATCHED_TIME: Test = Test::of_library(
    "keyspace",
    "watched::tests::a_key_whose_time_was_over_may_go_and_one_whose_time_ends_may_not",
);
const WATCHED_MOVE: Test = Test::of_library("keyspace", "watched::tests::what_is_moved_changes_both_keys");
const WATCHED_WHOLE: Test =
    Test::of_library("keyspace", "watched::tests::whole_databases_change_what_is_there");
const STREAMS: Test =
    Test::of_library("keyspace", "stream::tests::a_reply_shows_what_was_there_whatever_becomes_of_it");
const STRINGS: Test =
    Test::of_library("keyspace", "stream::string_tests::a_reply_shows_what_was_there_whatever_becomes_of_it");
const STREAMS_BESIDE_SNAPSHOTS: Test = Test::of_library(
    "keyspace",
    "stream::tests::nor_does_a_snapshot_disturb_it_that_is_before_half_way_through_or_behind",
);
const SNAPSHOTS: Test =
    Test::of_library("keyspace", "snapshot::tests::it_says_what_was_there_whatever_becomes_of_a_value");
const TOLD: Test =
    Test::of_library("keyspace", "change::tests::who_waits_and_who_listens_is_told_of_every_change");
const MORTAL: Test =
    Test::of_library("sim", "mortal::tests::writes_record_what_they_did_with_keys_whose_time_is_over");
const PLAYED: Test = Test::of_library("sim", "effects::tests::what_shards_record_leads_to_what_they_hold");
const TABLE: Test =
    Test::of_library("keyspace", "table::tests::agrees_with_a_model_while_it_grows_and_shrinks");
const FIELDS: Test = Test::of_library(
    "keyspace",
    "table::fields::tests::all_hashes_with_expiring_fields_are_known_whatever_becomes_of_them",
);
const COLLECTIONS: Test = Test::of_library(
    "keyspace",
    "table::collection_tests::collections_agree_with_a_model_wherever_they_are_kept",
);
const LOOKING: Test = Test::of_library("keyspace", "change::tests::who_only_looks_disturbs_nobody");
const OVER: Test =
    Test::of_library("keyspace", "change::removal::tests::keys_that_are_over_are_told_of_by_what_was_over");
const TOLD_LAST: Test = Test::of_library("keyspace", "event::tests::what_is_told_last_stays_in_its_order");
const EVICTED: Test = Test::of_library("keyspace", "stream::tests::memory_of_what_is_kept_is_not_free");
const WALKED: Test = Test::of_library(
    "keyspace",
    "snapshot::tests::it_says_what_was_there_at_the_cut_whatever_happens_meanwhile",
);
const SHARD_PLAYED: Test =
    Test::of_library("sim", "effects::tests::what_a_shard_records_leads_to_what_it_holds");
const COUNTED: Test = Test::of_library("sim", "effects::tests::changes_are_counted_where_they_are_made");
const ERRANDS: Test =
    Test::of_library("routing", "message::tests::errands_that_change_something_are_counted_as_changes");
const UNCHANGED: Test =
    Test::of_file("commands", "unchanged", "writes_that_find_nothing_to_do_save_nothing_ahead");
const EVENTS: Test = Test::of_file("commands", "events", "commands_tell_what_a_real_server_told");
const SHARDS_EVENTS: Test =
    Test::of_file("routing", "events", "keys_on_several_shards_are_told_of_as_keys_on_one");
const IN_PLACE: Test = Test::of_library("keyspace", "table::tests::what_changes_where_it_is_is_in_the_books");
const NEXT_FIELD: Test =
    Test::of_library("keyspace", "table::fields::tests::the_next_field_of_a_large_hash_is_known");
const TEXTS: Test = Test::of_file(
    "commands",
    "keys",
    "a_sort_that_is_kept_tells_replicas_of_the_expired_texts_that_it_did_without",
);
const PUT: Test = Test::of_library("routing", "effect::tests::what_is_put_is_recorded_with_its_time");
