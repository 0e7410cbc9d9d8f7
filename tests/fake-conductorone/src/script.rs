//! Scripted faults: what a test wants to go wrong, and when.

use std::time::Duration;

use tonic::Code;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The token endpoint.
    Token,
    /// Hello.
    Hello,
    /// GetTask.
    GetTask,
    /// Heartbeat.
    Heartbeat,
    /// UploadAsset.
    UploadAsset,
    /// FinishTask.
    FinishTask,
}

impl Method {
    /// The method that is called at a path.
    pub(crate) fn at(path: &str) -> Option<Self> {
        if path == "/auth/v1/token" {
            return Some(Self::Token);
        }
        match path.rsplit('/').next()? {
            "Hello" => Some(Self::Hello),
            "GetTask" => Some(Self::GetTask),
            "Heartbeat" => Some(Self::Heartbeat),
            "UploadAsset" => Some(Self::UploadAsset),
            "FinishTask" => Some(Self::FinishTask),
            _ => None,
        }
    }
}

/// How a platform that is down can be met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outage {
    /// Connections break, and new ones are closed at once.
    Refusal,
    /// A gateway answers every call with this status of HTTP.
    Gateway(u16),
    /// Nothing is answered any more, and new connections aren't either.
    Silence,
}

/// At which calls something goes wrong.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Calls of this method,
    pub method: Method,
    /// after so many that go as usual,
    pub after: usize,
    /// so many times.
    pub times: usize,
    /// What goes wrong.
    pub fault: Fault,
}

/// What goes wrong at a call.
#[derive(Debug, Clone)]
pub enum Fault {
    /// It is answered with an error. The token endpoint answers the code as an HTTP status.
    Refuse(Code),
    /// The answer takes so long.
    Delay(Duration),
    /// There is no answer.
    Hang,
    /// An upload is refused after so many messages.
    RefuseAfter(usize, Code),
    /// Every connection breaks after so many messages of an upload.
    BreakAfter(usize),
    /// An upload arrives with one bit wrong.
    FlipBit,
    /// Each message of an upload takes so long to arrive.
    Slow(Duration),
}

impl Rule {
    /// The next call of a method.
    pub fn once(method: Method, fault: Fault) -> Self {
        Self { method, after: 0, times: 1, fault }
    }

    /// Every call of a method.
    pub fn every(method: Method, fault: Fault) -> Self {
        Self { times: usize::MAX, ..Self::once(method, fault) }
    }

    /// Only after so many calls that go as usual.
    #[must_use]
    pub fn after(self, calls: usize) -> Self {
        Self { after: calls, ..self }
    }

    /// So many times.
    #[must_use]
    pub fn times(self, times: usize) -> Self {
        Self { times, ..self }
    }

    /// Whether the call is this rule's; counts it if so.
    pub(crate) fn takes(&mut self, method: Method) -> bool {
        if self.method != method || self.times == 0 {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}
