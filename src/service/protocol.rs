//! The messages and the client of `c1.connectorapi.baton.v1`, generated from `proto/`.

#![allow(clippy::pedantic, unreachable_pub)]

include!(concat!(env!("OUT_DIR"), "/c1.connectorapi.baton.v1.rs"));
