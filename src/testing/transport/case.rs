//! One promise with the function that tries it, and the list of them all.

use std::{fmt, future::Future, pin::Pin};

use super::{Pace, Trial, containment, delivery, network, order, poison, publish, retry, stop};

/// What tries a promise.
pub type Run = for<'a> fn(&'a Trial) -> Pin<Box<dyn Future<Output = Done> + 'a>>;

/// One case of the suite.
pub struct Case {
    /// Its id in the delivery contract, as `P-03`.
    pub id: &'static str,
    /// The name of its function.
    pub name: &'static str,
    /// The time it needs, if it must not be paused.
    pub(super) pace: Option<Pace>,
    pub(super) run: Run,
}

impl Case {
    /// A case of your own, to be tried and accounted for like ours.
    ///
    /// # Examples
    /// ```
    /// use tegami::{testing::transport::{Case, Done, Trial, judge}, transport::Memory};
    ///
    /// async fn empty_body(trial: &Trial) -> Done {
    ///     let (transport, plan) = trial.queue("letters").await;
    ///     trial.publish(&*transport, trial.message(&plan, "")).await.expect("it is taken");
    ///     trial.reader(&*transport, &plan).await.complete(1).await;
    ///     Done::Kept
    /// }
    ///
    /// static EMPTY_BODY: Case = Case::new("E-01", "empty_body", |trial| Box::pin(empty_body(trial)));
    /// assert_eq!(judge(&EMPTY_BODY, Memory::new, 7).result, Ok(Done::Kept));
    /// ```
    pub const fn new(id: &'static str, name: &'static str, run: Run) -> Self {
        Self { id, name, pace: None, run }
    }

    /// The case of this id.
    pub fn of(id: &str) -> Option<&'static Case> {
        CASES.iter().find(|case| case.id == id)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name of ours begins with the id.
        let begin = self.id.to_lowercase().replace('-', "_") + "_";
        write!(f, "{} {}", self.id, self.name.strip_prefix(&begin).unwrap_or(self.name))
    }
}

/// How a case ended that broke no promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// The promise is kept.
    Kept,
    /// The transport does not declare the ability, and the API refuses to use it.
    Refused,
    /// The subject cannot bring about what the case needs.
    NotHere(&'static str),
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => f.write_str("kept"),
            Self::Refused => f.write_str("refused, as declared"),
            Self::NotHere(need) => write!(f, "not here: needs {need}"),
        }
    }
}

// A macro, because the same list names tests in other crates and fills a table in this one.
/// Hands the list of cases to another macro, after what is given.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_case {
    ($($then:ident)::+ ! $given:tt) => {
        $($then)::+! { $given
            // Publish.
            "P-01" publish p_01_ok_means_stored,
            "P-02" publish p_02_roundtrip,
            "P-03" publish p_03_concurrent,
            "P-04" publish p_04_unroutable_exact,
            "P-05" publish p_05_unroutable_opt_out,
            "P-06" publish p_06_deadline,
            "P-07" publish p_07_rejected_never_delivered,
            "P-08" publish p_08_unknown_then_resend,
            "P-09" publish p_09_bounded_inflight,
            "P-10" publish p_10_batch_partial,
            "P-11" publish p_11_dropped_future,
            "P-12" publish p_12_restart_under_publish,
            "P-13" publish p_13_straight_into_a_queue,
            // Delivery.
            "D-01" delivery d_01_ack_after_success,
            "D-02" delivery d_02_groups,
            "D-03" delivery d_03_topics_apart,
            "D-04" delivery d_04_late_consumer,
            "D-05" delivery d_05_consumer_churn,
            "D-06" delivery d_06_stale_ack,
            "D-07" delivery d_07_attempt_counts,
            "D-08" delivery d_08_prefetch_bound,
            "D-09" delivery d_09_per_instance,
            "D-10" delivery d_10_upcasts,
            "D-11" delivery d_11_followed,
            "D-12" delivery d_12_looked_at,
            "D-13" delivery d_13_delayed,
            "D-14" delivery d_14_filters,
            // Order.
            "O-01" order o_01_per_key_order,
            "O-02" order o_02_order_under_failure,
            "O-03" order o_03_keys_independent,
            "O-04" order o_04_blocked_until_ack,
            "O-05" order o_05_dead_letter_gap,
            // Retry.
            "R-01" retry r_01_error_is_retried,
            "R-02" retry r_02_schedule,
            "R-03" retry r_03_no_hot_loop @ Real,
            "R-04" retry r_04_waiting_frees_slots,
            "R-05" retry r_05_permanent,
            "R-06" retry r_06_outage_not_counted,
            "R-07" retry r_07_forged_headers,
            "R-08" retry r_08_many_nacks,
            // Poison and dead letters.
            "X-01" poison x_01_undecodable,
            "X-02" poison x_02_no_id,
            "X-03" poison x_03_bad_neighbour,
            "X-04" poison x_04_burst,
            "X-05" poison x_05_dlq_down,
            "X-06" poison x_06_reasons,
            "X-07" poison x_07_bombs @ Real,
            "X-08" poison x_08_depth,
            "X-09" poison x_09_unknown_and_versions,
            "X-10" poison x_10_redrive,
            "X-11" poison x_11_no_magic,
            "X-12" poison x_12_header_bomb,
            "X-13" poison x_13_process_killer,
            "X-14" poison x_14_chosen_ones_leave,
            "X-15" poison x_15_two_at_once,
            "X-16" poison x_16_cut_while_put_back,
            // Stop and leases.
            "S-01" stop s_01_drain,
            "S-02" stop s_02_drain_forced,
            "S-03" stop s_03_drain_broker_frozen,
            "S-04" stop s_04_shutdown_publishes,
            "S-05" stop s_05_repeated_start_stop,
            "L-01" stop l_01_long_handler,
            "L-02" stop l_02_lost_lease,
            // Containment.
            "H-01" containment h_01_panic_storm,
            "H-02" containment h_02_blocked_thread @ Real,
            // Network.
            "N-01" network n_01_broker_restart,
            "N-02" network n_02_silent_peer,
            "N-03" network n_03_one_channel_dies,
            "N-04" network n_04_blocked,
            "N-05" network n_05_throttle_and_403,
            "N-06" network n_06_start_before_broker,
        }
    };
}

macro_rules! table {
    ({} $($id:literal $area:ident $name:ident $(@ $pace:ident)?,)*) => {
        /// Every case, in the order of the delivery contract.
        pub const CASES: &[Case] = &[$(Case {
            id: $id,
            name: stringify!($name),
            pace: table!(@ $($pace)?),
            run: |trial| Box::pin($area::$name(trial)),
        },)*];
    };
    (@) => { None };
    (@ $pace:ident) => { Some(Pace::$pace) };
}
__each_case!(table! {});

// A macro, because tests must be named where they run.
/// Names one test for each case of the suite, for this subject: see [`transport`](crate::testing::transport).
#[macro_export]
macro_rules! transport_suite {
    ({ [$subject:expr] } $($id:literal $area:ident $name:ident $(@ $pace:ident)?,)*) => {$(
        #[test]
        fn $name() {
            let case = $crate::testing::transport::Case::of($id).expect("the case is listed");
            $crate::testing::transport::check(module_path!(), case, || $subject);
        }
    )*};
    ($subject:expr) => { $crate::__each_case!{ $crate::transport_suite!{ [$subject] } } };
}
