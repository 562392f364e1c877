//! D: what is published is delivered.

mod beside;
mod bound;
mod delayed;
mod filters;
mod groups;
mod instances;
mod killed;
mod returns;
mod upcasts;

pub use beside::{d_11_followed, d_12_looked_at};
pub use bound::d_08_prefetch_bound;
pub use delayed::d_13_delayed;
pub use filters::d_14_filters;
pub use groups::{d_02_groups, d_03_topics_apart, d_04_late_consumer, d_05_consumer_churn};
pub use instances::d_09_per_instance;
pub use returns::{d_01_ack_after_success, d_06_stale_ack, d_07_attempt_counts};
pub use upcasts::d_10_upcasts;
