//! Everything that changes while the fake runs.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

use tonic::Code;

use crate::api::{BatonServiceHelloRequest, Task};
use crate::script::{Fault, Method, Outage, Rule};

/// A call, as it arrived.
#[derive(Debug, Clone)]
pub struct Call {
    /// When.
    pub at: Instant,
    /// What.
    pub method: Method,
    /// For which task.
    pub task: Option<String>,
}

/// A whole upload.
#[derive(Debug, Clone)]
pub struct Upload {
    /// For which task.
    pub task: String,
    /// What was uploaded.
    pub data: Vec<u8>,
    /// The sizes of the chunks.
    pub chunks: Vec<usize>,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// The gRPC code; `Ok` for success.
    pub code: Code,
    /// What went wrong.
    pub message: String,
    /// Whether trying again is pointless.
    pub non_retryable: bool,
    /// The type of the response, if there is one.
    pub response: Option<String>,
}

/// The fake's state, behind one lock.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) queue: VecDeque<Task>,
    /// Handed out and not finished.
    pub(crate) in_flight: BTreeSet<String>,
    pub(crate) most_in_flight: usize,
    pub(crate) cancelled: BTreeSet<String>,
    pub(crate) endings: BTreeMap<String, Ending>,
    pub(crate) uploads: Vec<Upload>,
    pub(crate) keep_uploads: bool,
    pub(crate) hellos: Vec<BatonServiceHelloRequest>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) calls: Vec<Call>,
    pub(crate) counts: BTreeMap<Method, usize>,
    pub(crate) violations: Vec<String>,
    /// Tokens by secret, with the time at which each expires.
    pub(crate) tokens: HashMap<String, Instant>,
    pub(crate) nonces: BTreeSet<String>,
    pub(crate) host_id: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) outage: Option<Outage>,
    /// The call that brings an outage about.
    pub(crate) outage_at: Option<(Method, Outage)>,
    pub(crate) next_poll: Duration,
    pub(crate) next_heartbeat: Duration,
    pub(crate) connections: usize,
    pub(crate) open_connections: usize,
    pub(crate) assigned: u64,
    pub(crate) issued: u64,
}

impl State {
    /// Notes a call; returns the fault that a script wants for it.
    pub(crate) fn begin(&mut self, method: Method, task: Option<&str>) -> Option<Fault> {
        *self.counts.entry(method).or_default() += 1;
        self.calls.push(Call { at: Instant::now(), method, task: task.map(Into::into) });
        let rule = self.rules.iter_mut().find_map(|rule| rule.takes(method).then_some(rule))?;
        Some(rule.fault.clone())
    }

    /// The outage that a call meets, which it may have brought about.
    pub(crate) fn outage_at(&mut self, method: Option<Method>) -> Option<Outage> {
        if let Some((_, outage)) = self.outage_at.take_if(|(at, _)| Some(*at) == method) {
            self.outage = Some(outage);
        }
        self.outage
    }

    /// A token that is good for `life`.
    pub(crate) fn issue(&mut self, life: Duration) -> String {
        self.issued += 1;
        let token = format!("c1-token-{}", self.issued);
        self.tokens.insert(token.clone(), Instant::now() + life);
        token
    }

    pub(crate) fn violation(&mut self, what: impl Into<String>) {
        self.violations.push(what.into());
    }
}
