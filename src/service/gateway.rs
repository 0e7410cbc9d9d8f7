//! The way to ConductorOne's answers: what is no answer of its own always has a cause.
//!
//! A call can fail on the way: no connection, a connection that breaks, a load balancer that
//! has nobody to pass the call on to and says so in plain HTTP. gRPC has codes for all of
//! that, which ConductorOne uses too; the cause tells the two apart.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response, StatusCode};
use tonic::transport::Channel;
use tower_service::Service;

/// Something before ConductorOne answered in its place.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("a gateway before ConductorOne answers with HTTP {0}")]
pub(super) struct GatewayError(StatusCode);

/// There was no answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no answer")]
pub(super) struct NoAnswer;

/// A connection, with what stands before ConductorOne.
#[derive(Debug, Clone)]
pub(super) struct Gateway(pub(super) Channel);

impl Service<Request<Body>> for Gateway {
    type Response = Response<Body>;
    type Error = Status;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        self.0.poll_ready(context).map_err(failed)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let answering = self.0.call(request);
        Box::pin(async {
            let response = answering.await.map_err(failed)?;
            let status = response.status();
            // gRPC's own errors come with HTTP 200: no other answer judges the credentials, or
            // anything else that was asked.
            if status != StatusCode::OK && !response.headers().contains_key("grpc-status") {
                return Err(caused_by(Status::unavailable(""), GatewayError(status)));
            }
            Ok(response)
        })
    }
}

fn failed(error: tonic::transport::Error) -> Status {
    let status = Status::from_error(error.into());
    // A call's own time limit, for example.
    if std::error::Error::source(&status).is_none() { caused_by(status, NoAnswer) } else { status }
}

/// A status that is not ConductorOne's.
pub(super) fn caused_by(
    mut status: Status,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> Status {
    status.set_source(Arc::new(cause));
    status
}
