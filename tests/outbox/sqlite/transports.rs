//! The suite for transports, on events recorded in an SQLite file.
//!
//! Left out are those that are about publishing, which is an append here; those that need a fault of a broker; and those in
//! which several connections read one queue at once (`D-02`, `D-08`, `S-01`), where one does at a time.

use super::File;

crate::records::transports!(File:
    "P-02" p_02_roundtrip
    "P-03" p_03_concurrent
    "D-01" d_01_ack_after_success
    "D-03" d_03_topics_apart
    "D-04" d_04_late_consumer
    "D-05" d_05_consumer_churn
    "D-06" d_06_stale_ack
    "D-07" d_07_attempt_counts
    "D-09" d_09_per_instance
    "D-10" d_10_upcasts
    "D-11" d_11_followed
    "D-12" d_12_looked_at
    "O-01" o_01_per_key_order
    "O-02" o_02_order_under_failure
    "O-03" o_03_keys_independent
    "O-04" o_04_blocked_until_ack
    "O-05" o_05_dead_letter_gap
    "R-01" r_01_error_is_retried
    "R-02" r_02_schedule
    "R-05" r_05_permanent
    "R-06" r_06_outage_not_counted
    "R-07" r_07_forged_headers
    "R-08" r_08_many_nacks
    "X-01" x_01_undecodable
    "X-02" x_02_no_id
    "X-03" x_03_bad_neighbour
    "X-04" x_04_burst
    "X-06" x_06_reasons
    "X-08" x_08_depth
    "X-09" x_09_unknown_and_versions
    "X-10" x_10_redrive
    "X-11" x_11_no_magic
    "X-12" x_12_header_bomb
    "X-13" x_13_process_killer
    "X-14" x_14_chosen_ones_leave
    "X-15" x_15_two_at_once
    "X-16" x_16_cut_while_put_back
    "S-02" s_02_drain_forced
    "S-05" s_05_repeated_start_stop
    "L-01" l_01_long_handler
    "L-02" l_02_lost_lease
    "H-01" h_01_panic_storm
    "H-02" h_02_blocked_thread
);
