//! Outbox and inbox: transactions, what becomes of what was committed, and what of what was not. The cases in `rows`,
//! `inbox`, `events`, `process`, `crashes` and `kills` are run on every database.

mod contracts {
    tegami::include_contracts!();
}

/// A test for each case that holds on every database.
// The runner knows by a test's module which needs a server, and a function cannot make tests.
macro_rules! suite {
    ($subject:ty) => {
        crate::suite! { @ $subject:
            rows::t3_no_row_is_handed_out_while_an_earlier_one_of_its_key_is_held
            rows::t2_a_hold_ends_by_itself_and_whoever_comes_late_changes_nothing_but_what_was_sent
            rows::t2_a_clock_that_is_put_back_holds_nothing_for_hours
            rows::t2_a_row_is_handed_out_as_it_was_put
            rows::t4_what_is_refused_keeps_its_key_waiting_and_what_is_parked_does_not
            rows::what_nobody_can_read_is_parked_and_keeps_nobody_waiting
            rows::t5_a_batch_is_bounded_in_rows_and_in_bytes
            inbox::i1_every_message_comes_three_times_to_two_replicas_and_has_one_effect
            inbox::i2_two_subscriptions_handle_one_message_each_once
            inbox::i2_another_message_with_a_known_id_is_kept_as_a_dead_letter
            inbox::i4_old_ids_are_forgotten_a_few_at_a_time_and_no_young_one
            inbox::i4_a_service_forgets_what_is_older_than_it_was_told_to_keep
            crashes::i1_a_transactional_handler_passes_the_crash_matrix
            events::t1_e1_events_rows_and_messages_are_one_commit
            events::e1_a_refused_append_leaves_the_transaction_as_it_was
            events::e1_what_a_transaction_has_recorded_it_reads_and_builds_on
            events::e3_who_follows_sees_events_with_their_commit_and_not_before
            events::e1_another_database_is_refused_by_name
            process::i1_a_process_takes_up_each_message_once_and_publishes_what_is_in_its_stream
            process::a_timeout_comes_when_its_time_has_come
            process::a_timeout_that_is_cancelled_is_not_taken_up
            process::what_comes_to_a_process_that_is_over_changes_nothing
            process::an_event_that_names_no_process_becomes_a_dead_letter
            process::a_timeout_and_the_event_that_it_waits_for_take_turns
            kills::t1_t2_t3_three_relays_that_are_killed_lose_nothing_and_keep_every_key_in_order
        }
    };
    (@ $subject:ty: $($area:ident::$case:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            crate::$area::$case::<$subject>().await;
        }
    )+};
}
pub(crate) use suite;

mod crashes;
mod events;
mod inbox;
mod kills;
mod postgres;
mod process;
mod rows;
mod sqlite;
mod subject;

use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
use subject::{Folder, Subject};

fn paid(order: impl Into<String>) -> OrderPaid {
    OrderPaid::builder().order_id(order.into()).currency("EUR").amount_minor(990).build()
}

fn receipt(order: impl Into<String>) -> ReceiptSent {
    ReceiptSent::builder().order_id(order.into()).build()
}
