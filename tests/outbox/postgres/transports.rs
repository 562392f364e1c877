//! The suite for transports, on events recorded in PostgreSQL: what could differ from a file.

use super::Postgres;

crate::records::transports!(Postgres:
    "D-01" d_01_ack_after_success
    "D-04" d_04_late_consumer
    "D-05" d_05_consumer_churn
    "D-06" d_06_stale_ack
    "D-07" d_07_attempt_counts
    "D-12" d_12_looked_at
    "O-01" o_01_per_key_order
    "O-02" o_02_order_under_failure
    "O-03" o_03_keys_independent
    "O-04" o_04_blocked_until_ack
    "O-05" o_05_dead_letter_gap
    "R-01" r_01_error_is_retried
    "R-05" r_05_permanent
    "R-06" r_06_outage_not_counted
    "R-08" r_08_many_nacks
    "X-01" x_01_undecodable
    "X-06" x_06_reasons
    "X-10" x_10_redrive
    "X-13" x_13_process_killer
    "X-14" x_14_chosen_ones_leave
    "X-15" x_15_two_at_once
    "X-16" x_16_cut_while_put_back
    "S-02" s_02_drain_forced
    "L-01" l_01_long_handler
    "L-02" l_02_lost_lease
);
