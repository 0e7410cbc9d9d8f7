//! `BatonService`, as ConductorOne's side of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};
use tonic::{Code, Request, Response, Status, Streaming};

use crate::api::baton_service_finish_task_request::FinalState;
use crate::api::baton_service_server::BatonService;
use crate::api::baton_service_upload_asset_request::Msg;
use crate::api::{
    BatonServiceFinishTaskRequest, BatonServiceFinishTaskResponse, BatonServiceGetTaskRequest,
    BatonServiceGetTaskResponse, BatonServiceHeartbeatRequest, BatonServiceHeartbeatResponse,
    BatonServiceHelloRequest, BatonServiceHelloResponse, BatonServiceUploadAssetRequest,
    BatonServiceUploadAssetResponse,
};
use crate::check;
use crate::connection::Shared;
use crate::script::{Fault, Method};
use crate::state::{Ending, State, Upload};

/// The largest chunk that ConductorOne accepts, in bytes.
const LARGEST_CHUNK: usize = 1024 * 1024;

/// The service.
#[derive(Clone)]
pub(crate) struct Service(pub(crate) Arc<Shared>);

impl Service {
    /// Checks who calls, notes the call, and lets happen what a script wants to go wrong.
    async fn begin<T>(
        &self,
        method: Method,
        task: Option<&str>,
        request: &Request<T>,
    ) -> Result<Option<Fault>, Status> {
        let fault = {
            let mut state = self.0.state();
            let fault = state.begin(method, task);
            self.authenticate(&mut state, request)?;
            fault
        };
        match fault {
            Some(Fault::Refuse(code)) => Err(Status::new(code, "scripted")),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::Delay(time)) => {
                tokio::time::sleep(time).await;
                Ok(None)
            }
            fault => Ok(fault),
        }
    }

    fn authenticate<T>(&self, state: &mut State, request: &Request<T>) -> Result<(), Status> {
        let metadata = request.metadata();
        let given: Vec<_> = metadata.get_all("authorization").iter().collect();
        let [given] = given.as_slice() else {
            return Err(check::invalid(state, format!("{} authorizations", given.len())));
        };
        if metadata.contains_key("dpop") {
            return Err(check::invalid(state, "a DPoP header"));
        }
        let agent = metadata.get("user-agent").and_then(|agent| agent.to_str().ok());
        let name = self.0.registration.client_id.split('@').next().unwrap_or_default();
        if !agent.is_some_and(|agent| agent.starts_with(&format!("{name} "))) {
            return Err(check::invalid(state, format!("user-agent {agent:?}")));
        }
        state.user_agent = agent.map(Into::into);
        let given = given.to_str().unwrap_or_default();
        let Some(token) = given.strip_prefix("Bearer ") else {
            return Err(check::invalid(state, "an authorization that is no bearer token"));
        };
        match state.tokens.get(token) {
            Some(until) if Instant::now() < *until => Ok(()),
            // Not a violation: a token can be revoked at any time.
            _ => Err(Status::unauthenticated("the token is not valid")),
        }
    }
}

#[tonic::async_trait]
impl BatonService for Service {
    async fn hello(
        &self,
        request: Request<BatonServiceHelloRequest>,
    ) -> Result<Response<BatonServiceHelloResponse>, Status> {
        let task = request.get_ref().task_id.clone();
        let task = Some(task.as_str()).filter(|task| !task.is_empty());
        self.begin(Method::Hello, task, &request).await?;
        let mut state = self.0.state();
        let hello = request.into_inner();
        check::hello(&mut state, &hello)?;
        if let Some(task) = task
            && !state.in_flight.remove(task)
        {
            return Err(check::invalid(&mut state, format!("hello for the unknown task {task}")));
        }
        state.hellos.push(hello);
        self.0.changed.notify_all();
        Ok(Response::new(BatonServiceHelloResponse {}))
    }

    async fn get_task(
        &self,
        request: Request<BatonServiceGetTaskRequest>,
    ) -> Result<Response<BatonServiceGetTaskResponse>, Status> {
        self.begin(Method::GetTask, None, &request).await?;
        let mut state = self.0.state();
        check::host_id(&mut state, &request.get_ref().host_id)?;
        if state.hellos.is_empty() {
            return Err(check::invalid(&mut state, "GetTask before Hello"));
        }
        if state.in_flight.len() >= self.0.options.task_concurrency {
            return Err(check::invalid(&mut state, "GetTask with no place for a task"));
        }
        let task = state.queue.pop_front();
        if let Some(task) = &task {
            if !check::is_task_id(&task.id) {
                return Err(Status::internal("a test's task id is malformed"));
            }
            state.in_flight.insert(task.id.clone());
            state.most_in_flight = state.most_in_flight.max(state.in_flight.len());
            // It may have been handed out before.
            state.endings.remove(&task.id);
        }
        self.0.changed.notify_all();
        Ok(Response::new(BatonServiceGetTaskResponse {
            task,
            next_poll: duration(state.next_poll),
        }))
    }

    async fn heartbeat(
        &self,
        request: Request<BatonServiceHeartbeatRequest>,
    ) -> Result<Response<BatonServiceHeartbeatResponse>, Status> {
        let task = request.get_ref().task_id.clone();
        self.begin(Method::Heartbeat, Some(&task), &request).await?;
        let mut state = self.0.state();
        check::host_id(&mut state, &request.get_ref().host_id)?;
        check::task_id(&mut state, &task)?;
        if !state.in_flight.contains(&task) {
            return Err(check::invalid(&mut state, format!("a heartbeat for the task {task}")));
        }
        let cancelled = state.cancelled.contains(&task);
        self.0.changed.notify_all();
        let next_heartbeat = duration(state.next_heartbeat);
        Ok(Response::new(BatonServiceHeartbeatResponse { next_heartbeat, cancelled }))
    }

    async fn finish_task(
        &self,
        request: Request<BatonServiceFinishTaskRequest>,
    ) -> Result<Response<BatonServiceFinishTaskResponse>, Status> {
        let task = request.get_ref().task_id.clone();
        self.begin(Method::FinishTask, Some(&task), &request).await?;
        let has_deadline = request.metadata().contains_key("grpc-timeout");
        let request = request.into_inner();
        let mut state = self.0.state();
        check::host_id(&mut state, &request.host_id)?;
        check::task_id(&mut state, &task)?;
        if !has_deadline {
            state.violation("FinishTask without a deadline");
        }
        if !state.in_flight.remove(&task) {
            return Err(check::invalid(&mut state, format!("FinishTask for the task {task}")));
        }
        let status = request.status.unwrap_or_default();
        let code = Code::from(status.code);
        let ending = match request.final_state {
            Some(FinalState::Success(success)) if code == Code::Ok => Ending {
                code,
                message: status.message,
                non_retryable: false,
                response: success.response.map(|any| any.type_url),
            },
            Some(FinalState::Error(error)) if code != Code::Ok && !status.message.is_empty() => {
                Ending {
                    code,
                    message: status.message,
                    non_retryable: error.non_retryable,
                    response: None,
                }
            }
            other => {
                let what = format!("FinishTask with {code:?} and {other:?}");
                return Err(check::invalid(&mut state, what));
            }
        };
        state.endings.insert(task, ending);
        self.0.changed.notify_all();
        Ok(Response::new(BatonServiceFinishTaskResponse {}))
    }

    async fn upload_asset(
        &self,
        request: Request<Streaming<BatonServiceUploadAssetRequest>>,
    ) -> Result<Response<BatonServiceUploadAssetResponse>, Status> {
        let fault = self.begin(Method::UploadAsset, None, &request).await?;
        let upload = self.receive(request.into_inner(), fault).await?;
        let mut state = self.0.state();
        if state.keep_uploads {
            state.uploads.push(upload);
        }
        self.0.changed.notify_all();
        Ok(Response::new(BatonServiceUploadAssetResponse {}))
    }
}

impl Service {
    async fn receive(
        &self,
        mut messages: Streaming<BatonServiceUploadAssetRequest>,
        fault: Option<Fault>,
    ) -> Result<Upload, Status> {
        let invalid = |what: String| check::invalid(&mut self.0.state(), what);
        let mut upload = Upload { task: String::new(), data: Vec::new(), chunks: Vec::new() };
        let mut digest = None;
        let mut received = 0;
        loop {
            match fault {
                Some(Fault::RefuseAfter(count, code)) if received == count => {
                    return Err(Status::new(code, "scripted"));
                }
                Some(Fault::BreakAfter(count)) if received == count => {
                    self.0.break_connections();
                    std::future::pending::<()>().await;
                }
                Some(Fault::Slow(time)) => tokio::time::sleep(time).await,
                _ => {}
            }
            let Some(message) = messages.message().await? else {
                break;
            };
            received += 1;
            if digest.is_some() {
                return Err(invalid("a message after eof".to_owned()));
            }
            match message.msg {
                Some(Msg::Metadata(metadata)) if received == 1 => {
                    let mut state = self.0.state();
                    check::host_id(&mut state, &metadata.host_id)?;
                    check::task_id(&mut state, &metadata.task_id)?;
                    if !state.in_flight.contains(&metadata.task_id) {
                        let what = format!("an upload for the task {}", metadata.task_id);
                        return Err(check::invalid(&mut state, what));
                    }
                    upload.task = metadata.task_id;
                    self.0.changed.notify_all();
                }
                Some(Msg::Data(data))
                    if received > 1 && (1..=LARGEST_CHUNK).contains(&data.data.len()) =>
                {
                    upload.chunks.push(data.data.len());
                    upload.data.extend_from_slice(&data.data);
                }
                Some(Msg::Eof(eof)) if received > 1 && eof.sha256_checksum.len() == 32 => {
                    digest = Some(eof.sha256_checksum);
                }
                _ => return Err(invalid(format!("message {received} of an upload"))),
            }
        }
        let Some(digest) = digest else {
            // A client that died or gave up; nothing that it must never do.
            return Err(Status::aborted("the upload ended early"));
        };
        if matches!(fault, Some(Fault::FlipBit))
            && let Some(byte) = upload.data.first_mut()
        {
            *byte ^= 1;
        }
        let mut context = Context::new(&SHA256);
        context.update(&upload.data);
        if context.finish().as_ref() != digest {
            if !matches!(fault, Some(Fault::FlipBit)) {
                self.0.state().violation("a digest that doesn't fit");
            }
            return Err(Status::data_loss("the digest does not fit the data"));
        }
        Ok(upload)
    }
}

fn duration(time: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(time).ok()
}
