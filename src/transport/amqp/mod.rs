//! RabbitMQ. Nothing outside this folder uses a broker's words.

#![cfg_attr(not(test), allow(dead_code, unused_imports, reason = "the connection is built on these"))]

mod address;
mod dial;
mod tls;
