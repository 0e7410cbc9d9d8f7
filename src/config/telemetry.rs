//! Where to send traces, logs and metrics, over OTLP.

use std::path::Path;

use crate::private_fs;
use crate::service::ApiHost;

use super::certificates::{self, LARGEST_MIB};
use super::fields;
use super::values::Values;

/// Where to send traces, logs and metrics, over OTLP.
#[derive(Debug)]
pub(crate) struct TelemetryConfig {
    /// The collector, as `host:port`.
    pub(crate) endpoint: String,
    /// How to trust it.
    pub(crate) tls: CollectorTls,
    /// Whether to send traces.
    pub(crate) traces: bool,
    /// Whether to send logs.
    pub(crate) logs: bool,
    /// Whether to send a service's metrics.
    pub(crate) metrics: bool,
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
pub(super) fn telemetry(values: &mut Values<'_>) -> Option<TelemetryConfig> {
    let collector = values.parsed(fields::OTEL_COLLECTOR_ENDPOINT, collector);
    let scheme = collector.as_ref().map(|(scheme, _)| *scheme);
    let insecure = values.switch(fields::OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE);
    if insecure && scheme == Some(Scheme::Https) {
        values.problem(format!(
            "{} begins with https://, but --{} is set",
            fields::OTEL_COLLECTOR_ENDPOINT.both_names(),
            fields::OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE.name
        ));
    }
    let insecure = insecure || scheme == Some(Scheme::Http);
    let certificate = values.parsed(fields::OTEL_COLLECTOR_ENDPOINT_TLS_CERT, authority);
    let certificate_file = values.parsed(fields::OTEL_COLLECTOR_ENDPOINT_TLS_CERT_PATH, |path| {
        let pem = private_fs::read_regular(Path::new(path), LARGEST_MIB);
        let pem = pem.map_err(|error| format!("it can't be read: {error}"))?;
        authority(&String::from_utf8_lossy(&pem))
    });
    let traces = !values.switch(fields::OTEL_TRACING_DISABLED);
    let logs = !values.switch(fields::OTEL_LOGGING_DISABLED);
    let metrics = !values.switch(fields::OTEL_METRICS_DISABLED);
    let tls = match (insecure, certificate, certificate_file) {
        (false, None, None) => CollectorTls::SystemRoots,
        (true, None, None) => CollectorTls::Insecure,
        (false, Some(pem), None) | (false, None, Some(pem)) => CollectorTls::Authority(pem),
        _ => {
            values.problem(
                "only one of --otel-collector-endpoint-tls-cert, \
                 --otel-collector-endpoint-tls-cert-path and \
                 --otel-collector-endpoint-tls-insecure (or an endpoint with http://) can be given"
                    .to_owned(),
            );
            return None;
        }
    };
    let (_, endpoint) = collector?;
    let sends = traces || logs || metrics;
    sends.then_some(TelemetryConfig { endpoint, tls, traces, logs, metrics })
}

/// What an address says of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    /// Nothing.
    Unsaid,
    /// Without.
    Http,
    /// With it.
    Https,
}

/// The collector's address, as `host:port`, and what it says of TLS.
fn collector(text: &str) -> Result<(Scheme, String), String> {
    let (scheme, host) = match text.split_once("://") {
        None => (Some(Scheme::Unsaid), text),
        Some((scheme, host)) => {
            let scheme = match &*scheme.to_ascii_lowercase() {
                "http" => Some(Scheme::Http),
                "https" => Some(Scheme::Https),
                _ => None,
            };
            (scheme, host)
        }
    };
    let host = host.strip_suffix('/').unwrap_or(host).parse::<ApiHost>().ok();
    let both = scheme.zip(host).map(|(scheme, host)| (scheme, host.as_str().to_owned()));
    both.ok_or_else(|| {
        "it takes host:port of OTLP over gRPC, or http://host:port to go without TLS".to_owned()
    })
}

/// A certificate that can be trusted. Nothing at all would be a collector that never answers.
fn authority(pem: &str) -> Result<String, String> {
    if certificates::is_usable(pem.as_bytes()) {
        Ok(pem.to_owned())
    } else {
        Err("there is no usable certificate in it (in PEM)".to_owned())
    }
}
