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
use tonic::codegen::http::header::CONTENT_TYPE;
use tonic::codegen::http::{HeaderMap, Request, Response, StatusCode};
use tonic::transport::Channel;
use tower_service::Service;

/// Something before ConductorOne answered in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum GatewayError {
    /// With a status that gRPC's answers don't have.
    #[error("a gateway before ConductorOne answers with HTTP {0}")]
    Status(StatusCode),
    /// With a page, say, in place of an answer.
    #[error("a gateway before ConductorOne answers with something else than gRPC")]
    Content,
}

/// There was no answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("no answer")]
pub(super) struct NoResponse;

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
            match gateway_error(response.status(), response.headers()) {
                Some(error) => Err(caused_by(Status::unavailable(""), error)),
                None => Ok(response),
            }
        })
    }
}

/// Why this is no answer of ConductorOne's. gRPC's own errors come with HTTP 200 and its content
/// type: no other answer judges the credentials, or anything else that was asked.
fn gateway_error(status: StatusCode, headers: &HeaderMap) -> Option<GatewayError> {
    if status != StatusCode::OK {
        let is_grpc = headers.contains_key("grpc-status");
        return (!is_grpc).then_some(GatewayError::Status(status));
    }
    // `application/grpc+proto` is gRPC too, gRPC for browsers is not.
    let is_grpc = headers.get(CONTENT_TYPE).is_some_and(|content| {
        let rest = content.as_bytes().strip_prefix(b"application/grpc");
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
    });
    (!is_grpc).then_some(GatewayError::Content)
}

fn failed(error: tonic::transport::Error) -> Status {
    let status = Status::from_error(error.into());
    // A call's own time limit, for example.
    if std::error::Error::source(&status).is_none() {
        caused_by(status, NoResponse)
    } else {
        status
    }
}

/// A status that is not ConductorOne's.
pub(super) fn caused_by(
    mut status: Status,
    cause: impl std::error::Error + Send + Sync + 'static,
) -> Status {
    status.set_source(Arc::new(cause));
    status
}

#[cfg(test)]
mod tests {
    use super::{CONTENT_TYPE, GatewayError, HeaderMap, StatusCode, gateway_error};

    fn of(status: u16, headers: &[(&'static str, &'static str)]) -> Option<GatewayError> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        gateway_error(StatusCode::from_u16(status).unwrap(), &headers.collect::<HeaderMap>())
    }

    #[test]
    fn an_answer_is_conductorones_only_where_it_is_grpc() {
        let content = CONTENT_TYPE.as_str();
        for of_grpc in ["application/grpc", "application/grpc+proto", "application/grpc;x=y"] {
            assert_eq!(of(200, &[(content, of_grpc)]), None, "{of_grpc}");
        }
        for other in ["text/html", "application/json", "application/grpc-web", ""] {
            assert_eq!(of(200, &[(content, other)]), Some(GatewayError::Content), "{other}");
        }
        assert_eq!(of(200, &[]), Some(GatewayError::Content));
        assert_eq!(of(503, &[("grpc-status", "14")]), None);
        let refused = Some(GatewayError::Status(StatusCode::FORBIDDEN));
        assert_eq!(of(403, &[(content, "application/grpc")]), refused);
    }
}
