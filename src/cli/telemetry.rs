//! Traces, logs and metrics for an OpenTelemetry collector, over OTLP.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider};
use opentelemetry::trace::TracerProvider;
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{
    ExporterBuildError, LogExporter, MetricExporter, OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT,
    SpanExporter, WithTonicConfig,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::{PeriodicReader, SdkMeterProvider};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

use super::collector_status::{CollectorStatus, TelemetryKind};
use crate::config::{CollectorTls, TelemetryConfig, Verifier};

/// Time for the last traces and logs to reach the collector at the end of the process.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// Between two times that metrics are sent.
const METRICS_EVERY: Duration = Duration::from_mins(1);

/// Where this crate's own spans and lines come from. The exporter's would export themselves.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// Time to open a connection to the collector, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The address, or TLS.
    #[error(transparent)]
    Connection(#[from] tonic::transport::Error),
    #[error(transparent)]
    Exporter(#[from] ExporterBuildError),
}

/// What sends traces, logs and metrics. Needs a runtime that goes on.
pub(super) struct Exporters {
    traces: Option<SdkTracerProvider>,
    logs: Option<SdkLoggerProvider>,
    metrics: Option<SdkMeterProvider>,
    delivery: CollectorStatus,
}

impl Exporters {
    /// Exporters as configured, over one connection. Connects to nothing yet; must be called
    /// within a runtime. Only a service has metrics. `verifier` verifies a collector that the system is to trust.
    pub(super) fn new(
        telemetry: &TelemetryConfig,
        verifier: Option<&Verifier>,
        is_service: bool,
    ) -> Result<Self, Error> {
        let resource = Resource::builder()
            .with_service_name("baton-northflank")
            .with_attribute(opentelemetry::KeyValue::new(
                "service.version",
                env!("CARGO_PKG_VERSION"),
            ))
            .build();
        let channel = channel(telemetry, verifier)?;
        let delivery = CollectorStatus::to(&telemetry.endpoint);
        let mut exporters =
            Self { traces: None, logs: None, metrics: None, delivery: delivery.clone() };
        if telemetry.traces {
            let exporter = SpanExporter::builder().with_tonic().with_channel(channel.clone());
            let exporter = delivery.watched(TelemetryKind::Traces, exporter.build()?);
            let provider = SdkTracerProvider::builder().with_batch_exporter(exporter);
            exporters.traces = Some(provider.with_resource(resource.clone()).build());
        }
        if telemetry.logs {
            let exporter = LogExporter::builder().with_tonic().with_channel(channel.clone());
            let exporter = delivery.watched(TelemetryKind::Logs, exporter.build()?);
            let provider = SdkLoggerProvider::builder().with_batch_exporter(exporter);
            exporters.logs = Some(provider.with_resource(resource.clone()).build());
        }
        if telemetry.metrics && is_service {
            let exporter = MetricExporter::builder().with_tonic().with_channel(channel);
            let exporter = delivery.watched(TelemetryKind::Metrics, exporter.build()?);
            let reader = PeriodicReader::builder(exporter).with_interval(METRICS_EVERY).build();
            let provider = SdkMeterProvider::builder().with_reader(reader);
            exporters.metrics = Some(provider.with_resource(resource).build());
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

    /// What takes metrics, if they are sent.
    pub(super) fn meter(&self) -> Option<Meter> {
        self.metrics.as_ref().map(|metrics| metrics.meter("baton-northflank"))
    }

    /// The layer that sends log lines.
    pub(super) fn log_layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        let layer = OpenTelemetryTracingBridge::new(self.logs.as_ref()?);
        Some(layer.with_filter(Targets::new().with_target(OWN, LevelFilter::TRACE)))
    }

    /// Sends what is left.
    pub(super) fn stop(self) {
        let delivery = &self.delivery;
        let record_outcome = |kind, outcome: OTelSdkResult| {
            // That an exporter has ended says nothing of what became of what it sent.
            if outcome.is_err() {
                delivery.record_outcome(kind, &outcome);
            }
        };
        // A collector that can't be reached must not change how the process ends, nor take the
        // time twice.
        std::thread::scope(|scope| {
            if let Some(traces) = self.traces {
                scope.spawn(move || {
                    record_outcome(
                        TelemetryKind::Traces,
                        traces.shutdown_with_timeout(FLUSH_WITHIN),
                    );
                });
            }
            if let Some(metrics) = self.metrics {
                scope.spawn(move || {
                    record_outcome(
                        TelemetryKind::Metrics,
                        metrics.shutdown_with_timeout(FLUSH_WITHIN),
                    );
                });
            }
            if let Some(logs) = self.logs {
                scope.spawn(move || {
                    record_outcome(TelemetryKind::Logs, logs.shutdown_with_timeout(FLUSH_WITHIN));
                });
            }
        });
    }
}

/// The connection to the collector.
fn channel(telemetry: &TelemetryConfig, verifier: Option<&Verifier>) -> Result<Channel, Error> {
    let scheme = if telemetry.tls == CollectorTls::Insecure { "http" } else { "https" };
    let endpoint = Endpoint::from_shared(format!("{scheme}://{}", telemetry.endpoint))?
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(OTEL_EXPORTER_OTLP_TIMEOUT_DEFAULT);
    let tls = ClientTlsConfig::new();
    let endpoint = match (&telemetry.tls, verifier) {
        (CollectorTls::Insecure, _) => endpoint,
        (CollectorTls::Authority(pem), _) => {
            endpoint.tls_config(tls.ca_certificate(Certificate::from_pem(pem)))?
        }
        (CollectorTls::SystemRoots, Some(verifier)) => {
            endpoint.tls_config_with_verifier(tls, Arc::clone(verifier))?
        }
        // Nobody is trusted.
        (CollectorTls::SystemRoots, None) => endpoint.tls_config(tls)?,
    };
    Ok(endpoint.connect_lazy())
}
