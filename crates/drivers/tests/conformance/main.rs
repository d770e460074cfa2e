//! What every network driver must do, over real sockets.

mod arrivals;
#[path = "../common/mod.rs"]
mod common;
mod ends;
mod sleeps;
mod transfers;

use arrivals::*;
use common::Driver;
use ends::*;
use sleeps::*;
use transfers::*;

macro_rules! suite {
    ($($test:ident),* $(,)?) => {
        suite!(@driver uring, common::Uring, $($test),*);
        suite!(@driver uring_cooperative, common::UringCooperative, $($test),*);
        suite!(@driver uring_plain, common::UringPlain, $($test),*);
        suite!(@driver uring_tiny, common::UringTiny, $($test),*);
        suite!(@driver epoll, common::Epoll, $($test),*);
    };
    (@driver $module:ident, $driver:ty, $($test:ident),*) => {
        mod $module {
            use super::*;
            $(#[test] fn $test() { if <$driver>::available() { super::$test::<$driver>() } })*
        }
    };
}

suite!(
    echo,
    many_connections_do_not_mix,
    a_big_send_reaches_a_slow_reader_whole,
    big_transfers_both_ways,
    quiet_sends_to_a_full_socket_arrive_whole,
    an_empty_send_is_sent,
    a_paused_connection_delivers_nothing_until_resumed,
    pausing_and_resuming_at_once_loses_nothing,
    the_end_of_a_peer_is_told,
    a_reset_is_an_error,
    a_send_to_a_reset_peer_fails_and_closes_once,
    a_reset_while_a_send_waits_fails_it,
    what_came_before_a_failed_send_is_told,
    a_paused_connection_tells_that_its_peer_has_gone,
    a_paused_connection_tells_of_a_reset,
    who_goes_while_paused_is_noticed_whenever_that_begins,
    a_long_send_tells_that_it_moves,
    close_cancels_a_send_and_silences_the_connection,
    close_right_after_adopt,
    indexes_are_reused_lowest_first_with_new_generations,
    thousands_come_and_go,
    a_thousand_at_once,
    a_waker_ends_a_sleep,
    a_wake_before_the_sleep_is_not_lost,
    a_sleep_ends_by_itself,
    another_node_replies_directly,
    a_direct_reply_does_not_wait,
    refused_connections_hear_why,
    one_node_accepts_and_another_adopts,
    unix_sockets,
    endpoints_are_those_of_the_socket,
    ipv6,
    after_stop_listening_nobody_gets_in,
    dropping_a_driver_ends_its_connections,
);
