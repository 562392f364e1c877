//! Outbox and inbox: transactions, what becomes of what was committed, and what of what was not; and what else is kept
//! beside them, the leases on ticks. The cases in `rows`, `delays`, `inbox`, `events`, `process`, `crashes`, `frozen`, `kills`, `rolling` and `leases` are run on every
//! database.

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
            delays::t3_a_delayed_row_is_handed_out_at_its_time_and_outside_the_order_of_its_key
            delays::t2_the_next_time_is_known_and_what_is_delayed_counts_as_unpublished
            delays::t2_the_relay_wakes_for_what_is_due_and_not_before
            delays::what_a_transport_cannot_delay_is_told_to_go_through_an_outbox
            inbox::i1_every_message_comes_three_times_to_two_replicas_that_are_killed_and_has_one_effect
            inbox::i2_two_subscriptions_handle_one_message_each_once
            inbox::i1_a_message_that_the_next_release_upcasts_is_known_again
            inbox::i2_another_message_with_a_known_id_is_kept_as_a_dead_letter
            inbox::i4_old_ids_are_forgotten_a_few_at_a_time_and_no_young_one
            inbox::i4_a_service_forgets_what_is_older_than_it_was_told_to_keep
            inbox::i4_ids_are_forgotten_while_messages_come_and_none_of_theirs
            rolling::s2_f28_replicas_that_roll_lose_and_repeat_nothing
            leases::j1_a_tick_is_granted_once_and_never_after_it_was_run
            leases::j1_a_lease_ends_30_s_after_its_last_renewal_and_its_holder_has_it_no_more
            leases::j1_of_many_that_ask_at_once_one_is_granted
            leases::j2_a_schedule_begins_once_and_what_was_before_is_over
            leases::j1_renewals_and_ends_in_the_midst_of_a_take_over_agree_with_it
            leases::j3_as_many_ticks_hold_as_may_run_at_once
            leases::j1_schedules_are_kept_apart_whatever_their_names
            leases::j4_a_schedule_that_is_forgotten_begins_anew_and_others_do_not
            leases::j1_a_clock_that_is_put_back_ends_no_lease_and_lengthens_none_beyond_5_min
            leases::j1_what_was_run_is_known_after_the_database_was_opened_again
            leases::j1_ticks_left_unfinished_are_forgotten_after_30_days_a_hundred_at_a_time
            missed::j2_ticks_of_which_no_process_ran_are_run_once_all_or_not_at_all
            missed::j2_while_the_database_is_away_nothing_runs_and_then_what_was_chosen_does
            processes::j1_every_tick_is_run_once_by_three_replicas_and_again_only_after_a_kill
            events::t1_e1_events_rows_and_messages_are_one_commit
            events::e1_a_refused_append_leaves_the_transaction_as_it_was
            events::e1_what_a_transaction_has_recorded_it_reads_and_builds_on
            events::e3_who_follows_sees_events_with_their_commit_and_not_before
            events::e1_another_database_is_refused_by_name
            process::i1_a_process_takes_up_each_message_once_and_publishes_what_is_in_its_stream
            process::a_timeout_comes_when_its_time_has_come
            process::a_timeout_that_is_cancelled_is_not_taken_up
            process::a_timeout_that_is_cancelled_while_its_publish_is_in_doubt_is_not_taken_up
            process::a_timeout_is_that_of_the_process_that_has_set_it
            process::what_comes_to_a_process_that_is_over_changes_nothing
            process::an_event_that_names_no_process_becomes_a_dead_letter
            process::a_timeout_and_the_event_that_it_waits_for_take_turns
            frozen::f49_a_relay_that_stood_still_has_another_send_and_skips_nothing
            frozen::e4_f49_a_projector_that_stood_still_doubles_nothing
            cases::d1_x7_a_handler_has_each_event_once_with_retries_dead_letters_and_redrive
            cases::the_backlog_is_what_the_filters_want
            cases::what_an_earlier_plan_left_is_removed_where_nothing_waits_in_it
            cases::a_queue_begins_when_it_is_made_or_with_the_first_event
            cases::what_is_published_to_a_store_is_refused_and_an_attached_broker_takes_it
            cases::o2_an_event_that_waits_holds_those_behind_it_of_its_key
            cases::i1_a_transactional_handler_has_its_effect_once_however_often_its_reader_goes
            cases::x1_what_nobody_can_read_becomes_a_dead_letter_and_delays_nobody
            cases::k3_what_is_personal_is_opened_for_handlers_and_what_was_erased_is_passed_by
            cases::x3_d1_what_cannot_be_decrypted_becomes_a_dead_letter_and_delays_nobody
            cases::x3_d1_where_the_file_of_keys_is_damaged_the_queue_waits_until_it_is_mended
            cases::d10_older_events_come_as_the_newer
            cases::a_slow_event_does_not_have_others_handled_again
            cases::a_queue_that_is_removed_begins_anew_and_one_that_is_read_stays
            replicas::d1_i1_replicas_that_are_killed_lose_nothing_and_have_effects_once
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
mod delays;
mod events;
mod frozen;
mod inbox;
mod kills;
mod leases;
#[path = "../service/log.rs"]
mod log;
#[cfg(feature = "amqp")]
mod outage;
mod postgres;
mod process;
mod records;
mod rolling;
mod rows;
mod sqlite;
mod subject;

use contracts::shop::{billing::v1::ReceiptSent, orders::v1::OrderPaid};
use leases::{missed, processes};
use records::{cases, kills as replicas};
use subject::{Folder, Subject};

fn paid(order: impl Into<String>) -> OrderPaid {
    OrderPaid::builder().order_id(order.into()).currency("EUR").amount_minor(990).build()
}

fn receipt(order: impl Into<String>) -> ReceiptSent {
    ReceiptSent::builder().order_id(order.into()).build()
}
