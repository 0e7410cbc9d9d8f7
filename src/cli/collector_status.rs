//! Whether the OpenTelemetry collector takes what it is sent: told once when it stops to, and
//! once when it does again. What it doesn't take is lost, and the run goes on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::logs::{LogBatch, LogExporter};
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::exporter::PushMetricExporter;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TelemetryKind {
    Traces,
    /// Log lines.
    Logs,
    Metrics,
}

/// What the collector didn't take when it was last sent. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct CollectorStatus {
    collector: Arc<str>,
    failing: Arc<Mutex<BTreeSet<TelemetryKind>>>,
}

impl CollectorStatus {
    /// To the collector at this address, of which nothing is known yet.
    pub(super) fn to(collector: &str) -> Self {
        Self { collector: collector.into(), failing: Arc::default() }
    }

    /// An exporter of whose outcomes is told.
    pub(super) fn watched<E>(&self, kind: TelemetryKind, exporter: E) -> WatchedExporter<E> {
        WatchedExporter { exporter, kind, delivery: self.clone() }
    }

    /// Tells of an outcome, if it is another than before.
    pub(super) fn record_outcome(&self, kind: TelemetryKind, outcome: &OTelSdkResult) {
        match outcome {
            Ok(()) if self.succeeds(kind) => {
                let collector = &*self.collector;
                tracing::info!(
                    collector,
                    "the OpenTelemetry collector takes traces, logs and metrics again"
                );
            }
            Err(error) if self.fails(kind) => {
                let reason = match error {
                    OTelSdkError::InternalFailure(reason) => reason.clone(),
                    error => error.to_string(),
                };
                let collector = &*self.collector;
                tracing::warn!(
                    collector,
                    reason,
                    "the OpenTelemetry collector doesn't take traces, logs or metrics; they are \
                     lost until it does"
                );
            }
            Ok(()) | Err(_) => {}
        }
    }

    /// Whether this is the first thing that fails.
    fn fails(&self, kind: TelemetryKind) -> bool {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.insert(kind) && failing.len() == 1
    }

    /// Whether this is the last thing that failed.
    fn succeeds(&self, kind: TelemetryKind) -> bool {
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        failing.remove(&kind) && failing.is_empty()
    }
}

/// An exporter of whose outcomes is told.
#[derive(Debug)]
pub(super) struct WatchedExporter<E> {
    exporter: E,
    kind: TelemetryKind,
    delivery: CollectorStatus,
}

impl<E: SpanExporter> SpanExporter for WatchedExporter<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let outcome = self.exporter.export(batch).await;
        self.delivery.record_outcome(self.kind, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: LogExporter> LogExporter for WatchedExporter<E> {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let outcome = self.exporter.export(batch).await;
        self.delivery.record_outcome(self.kind, &outcome);
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

impl<E: PushMetricExporter> PushMetricExporter for WatchedExporter<E> {
    async fn export(&self, metrics: &ResourceMetrics) -> OTelSdkResult {
        let outcome = self.exporter.export(metrics).await;
        self.delivery.record_outcome(self.kind, &outcome);
        outcome
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn temporality(&self) -> Temporality {
        self.exporter.temporality()
    }
}

#[cfg(test)]
mod tests {
    use super::{CollectorStatus, TelemetryKind};

    #[test]
    fn only_the_first_failure_and_the_last_recovery_are_told() {
        let delivery = CollectorStatus::to("host:4317");
        assert!(!delivery.succeeds(TelemetryKind::Traces), "nothing has failed");
        assert!(delivery.fails(TelemetryKind::Traces));
        assert!(!delivery.fails(TelemetryKind::Traces) && !delivery.fails(TelemetryKind::Logs));
        assert!(!delivery.succeeds(TelemetryKind::Traces), "logs still fail");
        assert!(delivery.succeeds(TelemetryKind::Logs));
        assert!(delivery.fails(TelemetryKind::Logs), "another failure");
    }
}
