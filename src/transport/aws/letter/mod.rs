//! Messages as SNS and SQS carry them: bodies that are text, attributes that have one of four types.
