//! Names a test for each case and release of RabbitMQ.

// A macro, because tests must be named where they run: the processes are found by those names.
macro_rules! on {
    ($release:ident: $($id:literal $area:ident $name:ident $(if $feature:literal)?,)*) => {$(
        $(#[cfg(feature = $feature)])?
        #[test]
        fn $name() {
            static CASE: Case = Case::new($id, stringify!($name), |trial| Box::pin(super::$area::$name(trial)));
            check(module_path!(), &CASE, || Broker::of(Release::$release));
        }
    )*};
}
macro_rules! on_each_release {
    ($($cases:tt)*) => {
        mod rabbitmq_3 {
            use tegami::testing::transport::{Case, check};
            use tegami_test_servers::Release;

            use crate::broker::Broker;

            on!(V3: $($cases)*);
        }

        mod rabbitmq_4 {
            use tegami::testing::transport::{Case, check};
            use tegami_test_servers::Release;

            use crate::broker::Broker;

            on!(V4: $($cases)*);
        }
    };
}
