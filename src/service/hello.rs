//! Hello: the connector presents itself.

use std::time::Duration;

use tonic::{Code, Status};

use super::error::Error;
use super::host::{build_info, os_info};
use super::platform::{Platform, StatusText};
use super::protocol::BatonServiceHelloRequest;
use crate::connector::metadata;

/// The longest time between two attempts.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// Says Hello, in answer to a task if one is named. `with_secrets` says whether secrets are synced.
pub(super) async fn hello(
    platform: &Platform,
    with_secrets: bool,
    task: Option<&str>,
) -> Result<(), Status> {
    let hello = BatonServiceHelloRequest {
        task_id: task.unwrap_or_default().to_owned(),
        build_info: Some(build_info()),
        os_info: Some(os_info()),
        connector_metadata: Some(metadata(with_secrets)),
        ..BatonServiceHelloRequest::default()
    };
    platform.hello(hello).await
}

/// Says Hello until it is heard, or refused for good.
pub(super) async fn at_start(platform: &Platform, with_secrets: bool) -> Result<(), Error> {
    let mut wait = Duration::from_secs(1);
    loop {
        let Err(status) = hello(platform, with_secrets, None).await else {
            return Ok(());
        };
        if is_refusal(&status) {
            let message = StatusText(&status).to_string();
            return Err(Error::Refused { code: status.code(), message });
        }
        let seconds = wait.as_secs();
        tracing::warn!(error = %StatusText(&status), retry_in_seconds = seconds, "ConductorOne does not answer Hello");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Whether saying Hello again would get the same answer.
fn is_refusal(status: &Status) -> bool {
    matches!(
        status.code(),
        Code::Unauthenticated
            | Code::PermissionDenied
            | Code::InvalidArgument
            | Code::Unimplemented
            | Code::FailedPrecondition
            | Code::NotFound
    )
}
