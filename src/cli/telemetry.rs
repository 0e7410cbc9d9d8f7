//! Traces and logs for an OpenTelemetry collector, over OTLP.

use std::time::Duration;

use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, SpanExporter, WithExportConfig, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tonic::transport::{Certificate, ClientTlsConfig};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use super::settings::{CollectorTls, Telemetry};

/// Time for the last traces and logs to reach the collector at the end of the process.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// Where this crate's own spans and lines come from. The exporter's would export themselves.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// What sends traces and logs. Needs a runtime that goes on.
pub(super) struct Exporters {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
}

impl Exporters {
    /// Exporters as configured. Connects to nothing yet; must be called within a runtime.
    pub(super) fn new(telemetry: &Telemetry) -> Result<Self, ExporterBuildError> {
        let resource = Resource::builder()
            .with_service_name("baton-northflank")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let endpoint = endpoint(telemetry);
        let mut exporters = Self { traces: None, logs: None };
        if telemetry.traces {
            let exporter = SpanExporter::builder().with_tonic().with_endpoint(&endpoint);
            let exporter = match tls(&telemetry.tls) {
                Some(tls) => exporter.with_tls_config(tls).build()?,
                None => exporter.build()?,
            };
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
            exporters.traces = Some(provider.with_resource(resource.clone()).build());
        }
        if telemetry.logs {
            let exporter = LogExporter::builder().with_tonic().with_endpoint(&endpoint);
            let exporter = match tls(&telemetry.tls) {
                Some(tls) => exporter.with_tls_config(tls).build()?,
                None => exporter.build()?,
            };
            let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter);
            exporters.logs = Some(provider.with_resource(resource).build());
        }
        Ok(exporters)
    }

    /// The layer that makes spans of tasks, phases and requests into traces.
    pub(super) fn trace_layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        let tracer = self.traces.as_ref()?.tracer("baton-northflank");
        let layer = tracing_opentelemetry::layer().with_tracer(tracer);
        // Where in the code a span comes from says nothing to those who operate it.
        let layer = layer.with_location(false).with_threads(false).with_target(false);
        Some(layer.with_filter(Targets::new().with_target(OWN, LevelFilter::DEBUG)))
    }

    /// The layer that sends log lines.
    pub(super) fn log_layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        let layer = OpenTelemetryTracingBridge::new(self.logs.as_ref()?);
        Some(layer.with_filter(Targets::new().with_target(OWN, LevelFilter::TRACE)))
    }

    /// Sends what is left.
    pub(super) fn stop(self) {
        // A collector that can't be reached must not change how the process ends, nor take the
        // time twice.
        std::thread::scope(|scope| {
            if let Some(traces) = self.traces {
                scope.spawn(move || traces.shutdown_with_timeout(FLUSH_WITHIN));
            }
            if let Some(logs) = self.logs {
                scope.spawn(move || logs.shutdown_with_timeout(FLUSH_WITHIN));
            }
        });
    }
}

/// The collector's address with its scheme.
fn endpoint(telemetry: &Telemetry) -> String {
    let address = telemetry.endpoint.as_str();
    let address = address.split_once("://").map_or(address, |(_, address)| address);
    let scheme = if telemetry.tls == CollectorTls::Insecure { "http" } else { "https" };
    format!("{scheme}://{address}")
}

fn tls(tls: &CollectorTls) -> Option<ClientTlsConfig> {
    match tls {
        CollectorTls::Insecure => None,
        CollectorTls::SystemRoots => Some(ClientTlsConfig::new().with_native_roots()),
        CollectorTls::Authority(pem) => {
            Some(ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem)))
        }
    }
}
