//! What every request must look like: the limits that ConductorOne validates.

use tonic::Status;

use crate::api::BatonServiceHelloRequest;
use crate::state::State;

/// `CAPABILITY_SYNC`.
const SYNC: i32 = 2;

/// A refusal that is the connector's fault.
pub(crate) fn invalid(state: &mut State, what: impl Into<String>) -> Status {
    let what = what.into();
    state.violation(what.clone());
    Status::invalid_argument(what)
}

/// The host's id: 1 to 256 characters, always the same.
pub(crate) fn host_id(state: &mut State, host_id: &str) -> Result<(), Status> {
    if !(1..=256).contains(&host_id.chars().count()) {
        return Err(invalid(state, format!("host_id {host_id:?}")));
    }
    let known = state.host_id.get_or_insert_with(|| host_id.to_owned());
    if known != host_id {
        let what = format!("host_id {host_id:?} after {known:?}");
        return Err(invalid(state, what));
    }
    Ok(())
}

/// A task's id: 27 letters and digits.
pub(crate) fn task_id(state: &mut State, id: &str) -> Result<(), Status> {
    if is_task_id(id) { Ok(()) } else { Err(invalid(state, format!("task_id {id:?}"))) }
}

pub(crate) fn is_task_id(id: &str) -> bool {
    id.len() == 27 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// A Hello.
pub(crate) fn hello(state: &mut State, hello: &BatonServiceHelloRequest) -> Result<(), Status> {
    host_id(state, &hello.host_id)?;
    if !hello.task_id.is_empty() {
        task_id(state, &hello.task_id)?;
    }
    let problem = problem_of_hello(hello);
    problem.map_or(Ok(()), |what| Err(invalid(state, format!("hello: {what}"))))
}

fn problem_of_hello(hello: &BatonServiceHelloRequest) -> Option<String> {
    let Some(metadata) = &hello.connector_metadata else {
        return Some("no connector_metadata".to_owned());
    };
    if !(1..=1024).contains(&metadata.display_name.len()) || metadata.description.len() > 4096 {
        return Some("display_name or description".to_owned());
    }
    let (Some(build), Some(os)) = (&hello.build_info, &hello.os_info) else {
        return Some("no build_info or os_info".to_owned());
    };
    let texts = [
        &build.lang_version,
        &build.package,
        &build.package_version,
        &os.hostname,
        &os.os,
        &os.platform,
        &os.platform_version,
        &os.platform_family,
        &os.kernel_version,
        &os.kernel_arch,
        &os.virtualization_system,
    ];
    if !texts.iter().all(|text| (1..=256).contains(&text.len())) {
        return Some(format!("{build:?} {os:?}"));
    }
    let Some(capabilities) = &metadata.capabilities else {
        return Some("no capabilities".to_owned());
    };
    let mut types = Vec::new();
    for capability in &capabilities.resource_type_capabilities {
        if capability.capabilities != [SYNC] || capability.permissions.is_none() {
            return Some(format!("{capability:?}"));
        }
        types.extend(capability.resource_type.as_ref().map(|found| found.id.clone()));
    }
    let is_true = types.is_sorted()
        && types.len() == capabilities.resource_type_capabilities.len()
        && capabilities.connector_capabilities == [SYNC];
    (!is_true).then(|| format!("{capabilities:?}"))
}
