//! SNS and SQS, as emulators do them.

mod filters;
