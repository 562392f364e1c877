//! RabbitMQ, over AMQP 0-9-1.
#![allow(dead_code, unused_imports, reason = "the transport that calls these modules is not there yet")]

mod guard;
mod runtime;
