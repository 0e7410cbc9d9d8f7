//! Where to send traces and logs, over OTLP.

use std::path::Path;

use crate::disk;

use super::certificates::{self, LARGEST_MIB};
use super::fields;
use super::values::Values;

/// Where to send traces and logs, over OTLP.
#[derive(Debug)]
pub(crate) struct Telemetry {
    /// The collector, as `host:port`.
    pub(crate) endpoint: String,
    /// How to trust it.
    pub(crate) tls: CollectorTls,
    /// Whether to send traces.
    pub(crate) traces: bool,
    /// Whether to send logs.
    pub(crate) logs: bool,
}

/// How to trust the OpenTelemetry collector.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CollectorTls {
    /// By the CAs of the system.
    SystemRoots,
    /// By this CA, a certificate in PEM.
    Authority(String),
    /// Without TLS.
    Insecure,
}

/// The collector, if there is one and it gets anything.
pub(super) fn telemetry(values: &mut Values<'_>) -> Option<Telemetry> {
    let endpoint = values.text(fields::OTEL_COLLECTOR_ENDPOINT);
    let insecure = values.switch(fields::OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE);
    let certificate = values.parsed(fields::OTEL_COLLECTOR_ENDPOINT_TLS_CERT, authority);
    let certificate_file = values.parsed(fields::OTEL_COLLECTOR_ENDPOINT_TLS_CERT_PATH, |path| {
        let pem = disk::read_regular(Path::new(path), LARGEST_MIB);
        let pem = pem.map_err(|error| format!("it can't be read: {error}"))?;
        authority(&String::from_utf8_lossy(&pem))
    });
    let traces = !values.switch(fields::OTEL_TRACING_DISABLED);
    let logs = !values.switch(fields::OTEL_LOGGING_DISABLED);
    let tls = match (insecure, certificate, certificate_file) {
        (false, None, None) => CollectorTls::SystemRoots,
        (true, None, None) => CollectorTls::Insecure,
        (false, Some(pem), None) | (false, None, Some(pem)) => CollectorTls::Authority(pem),
        _ => {
            values.problem(
                "only one of --otel-collector-endpoint-tls-cert, \
                 --otel-collector-endpoint-tls-cert-path and \
                 --otel-collector-endpoint-tls-insecure can be given"
                    .to_owned(),
            );
            return None;
        }
    };
    (traces || logs).then_some(Telemetry { endpoint: endpoint?, tls, traces, logs })
}

/// A certificate that can be trusted. Nothing at all would be a collector that never answers.
fn authority(pem: &str) -> Result<String, String> {
    match certificates::usable(pem.as_bytes()) {
        Ok(()) => Ok(pem.to_owned()),
        Err(_) => Err("there is no usable certificate in it (in PEM)".to_owned()),
    }
}
