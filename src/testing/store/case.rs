//! One promise with the function that tries it, the list of them all, and the running of one.

use std::{any::Any, fmt, future::Future, panic::AssertUnwindSafe, pin::Pin, time::Duration};

use futures_util::FutureExt;
use tokio::runtime::Builder;

use super::{Done, Subject, Trial, appends, crowd, kept, race, reading};
use crate::{error::panic_text, testing::at_length};

/// How long a case may take, and where it does more often what it does.
const BOUND: usize = 120;
const LONG_BOUND: usize = 3_600;

/// What tries a promise.
pub type Run = for<'a> fn(&'a Trial) -> Pin<Box<dyn Future<Output = Done> + Send + 'a>>;

/// One case of the suite.
pub struct Case {
    /// Its id, as `E-01`.
    pub id: &'static str,
    /// The name of its function.
    pub name: &'static str,
    run: Run,
}

impl Case {
    /// The case of this id.
    pub fn of(id: &str) -> Option<&'static Case> {
        CASES.iter().find(|case| case.id == id)
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.name)
    }
}

// A macro, because the same list names tests in other crates and fills a table in this one.
/// Hands the list of cases to another macro, after what is given.
#[doc(hidden)]
#[macro_export]
macro_rules! __each_store_case {
    ($($then:ident)::+ ! $given:tt) => {
        $($then)::+! { $given
            "E-01" race e_01_append_race,
            "E-02" appends e_02_all_or_nothing,
            "E-03" race e_03_no_gap,
            "E-04" reading e_04_resumed,
            "E-05" appends e_05_full,
            "E-06" appends e_06_expected_version,
            "E-07" reading e_07_found_by_type_and_tag,
            "E-08" race e_08_decided_once,
            "E-09" appends e_09_same_append_again,
            "E-10" kept e_10_kept_as_given,
            "E-11" kept e_11_snapshots,
            "E-12" reading e_12_upcasts,
            "E-13" kept e_13_limits,
            "E-14" crowd e_14_histories,
        }
    };
}

macro_rules! table {
    ({} $($id:literal $area:ident $name:ident,)*) => {
        /// Every case.
        pub const CASES: &[Case] = &[$(Case {
            id: $id,
            name: stringify!($name),
            run: |trial| Box::pin($area::$name(trial)),
        },)*];
    };
}
__each_store_case!(table! {});

// A macro, because tests must be named where they run.
/// Names one test for each case of the suite, for this subject: see [`store`](crate::testing::store).
#[macro_export]
macro_rules! store_suite {
    ({ [$subject:expr] } $($id:literal $area:ident $name:ident,)*) => {$(
        #[test]
        fn $name() {
            let case = $crate::testing::store::Case::of($id).expect("the case is listed");
            $crate::testing::store::check(case, $subject);
        }
    )*};
    ($subject:expr) => { $crate::__each_store_case!{ $crate::store_suite!{ [$subject] } } };
}

/// Runs a case as a test.
///
/// # Panics
/// The promise is broken; the text says how.
pub fn check(case: &'static Case, subject: impl Subject) {
    match judge(case, subject) {
        Ok(done) => println!("{case:?}: {done}"),
        Err(broken) => panic!("{case:?} is broken: {broken}"),
    }
}

/// Runs a case and says how it went.
///
/// # Errors
/// The promise is broken; the text says how.
pub fn judge(case: &'static Case, subject: impl Subject) -> Result<Done, String> {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let trial = Trial::new(subject);
        let bound = Duration::from_secs(at_length(BOUND, LONG_BOUND) as u64);
        let tried = tokio::time::timeout(bound, AssertUnwindSafe((case.run)(&trial)).catch_unwind()).await;
        trial.close().await;
        let broken = |panic: Box<dyn Any + Send>| panic_text(&*panic);
        tried.map_err(|_| format!("it was not done in {bound:?}"))?.map_err(broken)
    })
}
