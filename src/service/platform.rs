//! The platform: every call that is made to ConductorOne, over one connection that is kept
//! and opened again when it breaks.

use std::error::Error as _;
use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::Stream;
use prost_types::Any;
use rustls::client::danger::ServerCertVerifier;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint, Uri};
use tonic::{Code, Request, Response, Status};

use super::contact::Contact;
use super::credentials::ApiHost;
use super::dial::Dial;
use super::error::Error;
use super::gateway::{Gateway, GatewayError, NoResponse, caused_by};
use super::protocol::baton_service_client::BatonServiceClient;
use super::protocol::{
    BatonServiceFinishTaskRequest, BatonServiceGetTaskRequest, BatonServiceGetTaskResponse,
    BatonServiceHeartbeatRequest, BatonServiceHeartbeatResponse, BatonServiceHelloRequest,
    BatonServiceUploadAssetRequest, baton_service_finish_task_request as finish,
};
use super::token::{AccessToken, TokenError, TokenSource};
use crate::baton::{printable, rpc};
use crate::error_chain::with_causes;

/// Time to open a connection, proxy and TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for the answer to Hello and to a poll, a fresh token included.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(5);

/// Time for the answer to a heartbeat. A heartbeat that takes longer has failed.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(30);

/// Time for the answer to a finished task, which the other side is told of.
const FINISH_TIMEOUT: Duration = Duration::from_secs(30);

/// How a task ended.
pub(super) type TaskOutcome = Result<Option<Any>, TaskFailure>;

/// Why a task failed.
#[derive(Debug)]
pub(super) struct TaskFailure {
    /// The gRPC code.
    pub(super) code: Code,
    /// What happened.
    pub(super) message: String,
    /// Doing it again would fail again.
    pub(super) is_final: bool,
}

/// Calls ConductorOne. All callers share one connection and one token.
pub(super) struct Platform {
    endpoint: Endpoint,
    dial: Dial,
    /// The connection. Replaced when the other side has gone silent.
    channel: Mutex<Channel>,
    tokens: Arc<TokenSource>,
    host_id: String,
    /// What is known of how it answers.
    contact: Arc<Contact>,
}

impl Platform {
    /// A platform at `host`, whose certificate `verifier` verifies, with a user agent that begins
    /// with `name`. Connects to nothing yet.
    pub(super) fn new(
        host: &ApiHost,
        name: &str,
        host_id: String,
        tokens: TokenSource,
        verifier: Option<Arc<dyn ServerCertVerifier>>,
        contact: Arc<Contact>,
    ) -> Result<Self, Error> {
        let uri = Uri::builder().scheme("https").authority(host.with_port()).path_and_query("/");
        let uri = uri.build().map_err(|error| Error::Address(error.to_string()))?;
        let user_agent = format!("{name} baton-northflank/{}", env!("CARGO_PKG_VERSION"));
        let tls = ClientTlsConfig::new();
        let endpoint = Endpoint::from(uri)
            .user_agent(user_agent)
            .and_then(|endpoint| match verifier {
                Some(verifier) => endpoint.tls_config_with_verifier(tls, verifier),
                None => endpoint.tls_config(tls),
            })
            .map_err(Error::Tls)?
            .connect_timeout(CONNECT_TIMEOUT);
        let dial = Dial::from_environment();
        let channel = Mutex::new(endpoint.connect_with_connector_lazy(dial.clone()));
        Ok(Self { endpoint, dial, channel, tokens: Arc::new(tokens), host_id, contact })
    }

    /// Presents the connector. With `task`, in answer to that task.
    pub(super) async fn hello(&self, hello: BatonServiceHelloRequest) -> Result<(), Status> {
        let hello = BatonServiceHelloRequest { host_id: self.host_id.clone(), ..hello };
        let call = |mut client: PlatformClient, request| async move { client.hello(request).await };
        self.watched(Box::pin(self.call(hello, ANSWER_TIMEOUT, call))).await.map(drop)
    }

    /// Asks for a task.
    pub(super) async fn get_task(&self) -> Result<BatonServiceGetTaskResponse, Status> {
        let poll = BatonServiceGetTaskRequest { host_id: self.host_id.clone() };
        let call =
            |mut client: PlatformClient, request| async move { client.get_task(request).await };
        self.watched(Box::pin(self.call(poll, ANSWER_TIMEOUT, call))).await
    }

    /// Says that a task is being worked on.
    pub(super) async fn heartbeat(
        &self,
        task: &str,
    ) -> Result<BatonServiceHeartbeatResponse, Status> {
        let beat = BatonServiceHeartbeatRequest {
            host_id: self.host_id.clone(),
            task_id: task.to_owned(),
        };
        let call =
            |mut client: PlatformClient, request| async move { client.heartbeat(request).await };
        self.watched(Box::pin(self.call(beat, HEARTBEAT_TIMEOUT, call))).await
    }

    /// Says how a task ended.
    pub(super) async fn finish(&self, task: &str, outcome: &TaskOutcome) -> Result<(), Status> {
        let (status, state) = match outcome {
            Ok(response) => {
                (None, finish::FinalState::Success(finish::Success { response: response.clone() }))
            }
            Err(failure) => {
                let status = rpc::Status {
                    code: failure.code.into(),
                    message: failure.message.clone(),
                    details: Vec::new(),
                };
                let error = finish::Error { non_retryable: failure.is_final };
                (Some(status), finish::FinalState::Error(error))
            }
        };
        let finished = BatonServiceFinishTaskRequest {
            host_id: self.host_id.clone(),
            task_id: task.to_owned(),
            status,
            final_state: Some(state),
        };
        let call = |mut client: PlatformClient, mut request: Request<_>| async move {
            request.set_timeout(FINISH_TIMEOUT);
            client.finish_task(request).await
        };
        let told = self.call(finished, FINISH_TIMEOUT, call).await.map(drop);
        if told.is_ok() {
            self.contact.call_answered();
        }
        told
    }

    /// Sends the messages of one upload. Without a time limit: it takes what it takes.
    pub(super) async fn upload(
        &self,
        messages: impl Stream<Item = BatonServiceUploadAssetRequest> + Send + 'static,
    ) -> Result<(), Status> {
        let token = self.tokens.token().await.map_err(no_token)?;
        let outcome = self.client().upload_asset(authorized(messages, &token)).await;
        if let Err(status) = &outcome
            && status.code() == Code::Unauthenticated
        {
            self.tokens.discard(&token).await;
        }
        if outcome.is_ok() {
            self.contact.call_answered();
        }
        outcome.map(drop)
    }

    /// The name under which this process is known.
    pub(super) fn host_id(&self) -> &str {
        &self.host_id
    }

    /// A call that ConductorOne always has an answer to: whether it has one is noted. What it says
    /// of a task's end or of a file may be of those alone.
    async fn watched<R>(
        &self,
        calling: impl Future<Output = Result<R, Status>>,
    ) -> Result<R, Status> {
        self.contact.call_started(Instant::now());
        let outcome = calling.await;
        match &outcome {
            Ok(_) => self.contact.call_answered(),
            Err(status) => self.contact.call_failed(&StatusText(status).to_string()),
        }
        outcome
    }

    /// Makes a call, once more if the token turns out to be no longer accepted.
    async fn call<M, R, F, Answer>(
        &self,
        message: M,
        timeout: Duration,
        call: F,
    ) -> Result<R, Status>
    where
        M: Clone,
        F: Fn(PlatformClient, Request<M>) -> Answer,
        Answer: Future<Output = Result<Response<R>, Status>>,
    {
        let calling = async {
            let token = self.tokens.token().await.map_err(no_token)?;
            let outcome = call(self.client(), authorized(message.clone(), &token)).await;
            match outcome {
                Err(status) if status.code() == Code::Unauthenticated => {
                    self.tokens.discard(&token).await;
                    let token = self.tokens.token().await.map_err(no_token)?;
                    call(self.client(), authorized(message.clone(), &token)).await
                }
                outcome => outcome,
            }
        };
        if let Ok(outcome) = tokio::time::timeout(timeout, calling).await {
            return outcome.map(Response::into_inner);
        }
        self.reconnect();
        let message = format!("no answer within {} seconds", timeout.as_secs());
        Err(caused_by(Status::deadline_exceeded(message), NoResponse))
    }

    fn client(&self) -> PlatformClient {
        let channel = self.channel.lock().unwrap_or_else(PoisonError::into_inner).clone();
        BatonServiceClient::new(Gateway(channel))
    }

    /// Leaves a connection on which nothing is answered to those who still wait on it.
    fn reconnect(&self) {
        let fresh = self.endpoint.connect_with_connector_lazy(self.dial.clone());
        *self.channel.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}

type PlatformClient = BatonServiceClient<Gateway>;

fn authorized<M>(message: M, token: &AccessToken) -> Request<M> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", token.authorization.clone());
    request
}

fn no_token(error: TokenError) -> Status {
    let code = match &error {
        TokenError::Refused(_) => Code::Unauthenticated,
        TokenError::Failing(_) | TokenError::Unreachable(_) => Code::Unavailable,
        TokenError::Malformed | TokenError::Interrupted | TokenError::Random(_) => Code::Internal,
    };
    caused_by(Status::new(code, error.to_string()), error)
}

/// How far a call that failed has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallProgress {
    /// Nobody who could do it: there was no connection, no token, or only a gateway.
    Nobody,
    /// There was no answer, or the connection broke before it: ConductorOne may have seen it.
    Unknown,
    /// ConductorOne answered.
    ConductorOne,
}

/// How far the call that failed with `status` has come.
pub(super) fn reached(status: &Status) -> CallProgress {
    // What ConductorOne says has no cause on this side.
    let mut cause = status.source();
    let mut reached = CallProgress::ConductorOne;
    while let Some(error) = cause {
        match error.downcast_ref::<TokenError>() {
            // A gateway's page is no token.
            Some(TokenError::Failing(_) | TokenError::Unreachable(_) | TokenError::Malformed) => {
                return CallProgress::Nobody;
            }
            Some(_) => return CallProgress::ConductorOne,
            None if error.is::<tonic::ConnectError>() || error.is::<GatewayError>() => {
                return CallProgress::Nobody;
            }
            None => reached = CallProgress::Unknown,
        }
        cause = error.source();
    }
    reached
}

/// A status as people read it: what was said, and what lies below it. Its text is somebody
/// else's, percent-decoded: it may neither begin a line of a log nor steer a terminal.
pub(super) struct StatusText<'status>(pub(super) &'status Status);

impl fmt::Display for StatusText<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.message().to_owned();
        if let Some(cause) = self.0.source() {
            let cause = with_causes(cause);
            if cause.starts_with(&text) {
                // The cause has been put into words already.
                text = cause;
            } else if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        let code = self.0.code();
        if text.is_empty() {
            write!(formatter, "{code}")
        } else {
            write!(formatter, "{} ({code:?})", printable(&text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Status, StatusText, TokenError, caused_by};

    #[test]
    fn what_a_cause_says_first_is_said_once() {
        let error = TokenError::Failing(reqwest::StatusCode::BAD_GATEWAY);
        let said = error.to_string();
        let status = caused_by(Status::new(Code::Unavailable, said.clone()), error);
        assert_eq!(StatusText(&status).to_string(), format!("{said} (Unavailable)"));
        // A cause of its own behind it.
        let io = std::io::Error::other(TokenError::Malformed);
        let status = caused_by(Status::new(Code::Unavailable, io.to_string()), io);
        let text = StatusText(&status).to_string();
        assert_eq!(text.matches("without a usable token").count(), 1, "{text}");
    }

    #[test]
    fn what_the_other_side_says_stays_one_line_and_steers_nothing() {
        let said = Status::unavailable("no\n2026-01-01 INFO task done\u{1b}[2K\u{202e}");
        assert_eq!(
            StatusText(&said).to_string(),
            "no\u{fffd}2026-01-01 INFO task done\u{fffd}[2K\u{fffd} (Unavailable)"
        );
    }
}
