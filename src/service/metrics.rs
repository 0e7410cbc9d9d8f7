//! What the daemon counts, for Prometheus (`/metrics`, as OpenMetrics) and over OTLP: one list of
//! metrics, which both read when they are asked. Nothing asks Northflank for it.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::{Response, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::Registry;
use time::OffsetDateTime;
use tokio::net::TcpListener;

use super::error::Error;
use super::health::Health;
use super::http_server::{self, Answerer};
use super::task_history::{FULL_SYNC, TaskEnding, TaskRecord};

/// What the format is called (OpenMetrics 1.0.0).
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A metric of the daemon.
struct Metric {
    name: &'static str,
    help: &'static str,
    kind: MetricKind,
    read: fn(&Health) -> Vec<MetricPoint>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MetricKind {
    Counter,
    Gauge,
}

/// A value of a metric. Where nothing is known, there is none.
#[derive(Debug, Clone, PartialEq)]
struct MetricPoint {
    labels: Vec<(&'static str, &'static str)>,
    value: f64,
}

/// All of them.
const METRICS: [Metric; 12] = [
    Metric {
        name: "baton_northflank_build",
        help: "The version that runs, always 1",
        kind: MetricKind::Gauge,
        read: |_| vec![point(&[("version", env!("CARGO_PKG_VERSION"))], 1.0)],
    },
    Metric {
        name: "baton_northflank_start_timestamp_seconds",
        help: "When the process began",
        kind: MetricKind::Gauge,
        read: |health| single(timestamp(health.began_at())),
    },
    Metric {
        name: "baton_northflank_ready",
        help: "Whether ConductorOne answers and accepts this connector, as /ready says",
        kind: MetricKind::Gauge,
        read: |health| single(truth(health.unready(Instant::now()).is_none())),
    },
    Metric {
        name: "baton_northflank_conductorone_last_answer_timestamp_seconds",
        help: "When ConductorOne last answered",
        kind: MetricKind::Gauge,
        read: |health| optional(health.contact().answered_at().map(timestamp)),
    },
    Metric {
        name: "baton_northflank_northflank_readable",
        help: "Whether Northflank let everything be read when a probe of /health last had it asked",
        kind: MetricKind::Gauge,
        read: |health| optional(health.northflank_is_well().map(truth)),
    },
    Metric {
        name: "baton_northflank_tasks_running",
        help: "Tasks of ConductorOne that are worked on",
        kind: MetricKind::Gauge,
        read: |health| single(count(health.tasks().records().running.len())),
    },
    Metric {
        name: "baton_northflank_tasks",
        help: "Tasks that have ended, by kind and outcome",
        kind: MetricKind::Counter,
        read: tasks,
    },
    Metric {
        name: "baton_northflank_last_sync_timestamp_seconds",
        help: "When the last sync ended, however it did",
        kind: MetricKind::Gauge,
        read: |health| last_sync(health, |sync| timestamp(sync.ended_at)),
    },
    Metric {
        name: "baton_northflank_last_sync_success",
        help: "Whether the last sync ended well",
        kind: MetricKind::Gauge,
        read: |health| last_sync(health, |sync| truth(sync.outcome == TaskEnding::Done)),
    },
    Metric {
        name: "baton_northflank_last_successful_sync_timestamp_seconds",
        help: "When a sync last ended well",
        kind: MetricKind::Gauge,
        read: |health| last_successful_sync(health, |sync| timestamp(sync.ended_at)),
    },
    Metric {
        name: "baton_northflank_last_successful_sync_duration_seconds",
        help: "How long that sync took, with its upload",
        kind: MetricKind::Gauge,
        read: |health| last_successful_sync(health, |sync| sync.seconds),
    },
    Metric {
        name: "baton_northflank_northflank_requests",
        help: "Requests made to Northflank, repeated ones included",
        kind: MetricKind::Counter,
        read: |health| single(count(health.northflank().requests())),
    },
];

fn point(labels: &[(&'static str, &'static str)], value: f64) -> MetricPoint {
    MetricPoint { labels: labels.to_vec(), value }
}

fn single(value: f64) -> Vec<MetricPoint> {
    vec![point(&[], value)]
}

fn optional(value: Option<f64>) -> Vec<MetricPoint> {
    value.map(|value| point(&[], value)).into_iter().collect()
}

fn truth(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}

/// Counts up to four thousand million are exact, and larger ones near enough.
fn count(count: impl TryInto<u32>) -> f64 {
    count.try_into().map_or(f64::from(u32::MAX), f64::from)
}

/// Seconds since 1970.
fn timestamp(time: OffsetDateTime) -> f64 {
    count(time.unix_timestamp())
}

/// Each ending of a sync from the start on, so that the first failure is an increase; of other
/// tasks, what there was.
fn tasks(health: &Health) -> Vec<MetricPoint> {
    let mut ended = health.tasks().records().ended;
    for ending in TaskEnding::ALL {
        ended.entry((FULL_SYNC, ending)).or_default();
    }
    let labels = |kind, ending: TaskEnding| [("kind", kind), ("outcome", ending.word())];
    ended
        .into_iter()
        .map(|((kind, ending), number)| point(&labels(kind, ending), count(number)))
        .collect()
}

fn last_sync(health: &Health, value: impl Fn(&TaskRecord) -> f64) -> Vec<MetricPoint> {
    optional(health.tasks().records().last_sync.as_ref().map(value))
}

fn last_successful_sync(health: &Health, value: impl Fn(&TaskRecord) -> f64) -> Vec<MetricPoint> {
    optional(health.tasks().records().last_successful_sync.as_ref().map(value))
}

/// Has an OpenTelemetry exporter read the metrics, for as long as it runs.
pub(super) fn observe(health: &Arc<Health>, meter: &Meter) {
    for metric in &METRICS {
        let health = Arc::clone(health);
        let read = move |observer: &dyn AsyncInstrument<f64>| {
            for MetricPoint { labels, value } in (metric.read)(&health) {
                let labels = labels.into_iter().map(|(name, value)| KeyValue::new(name, value));
                observer.observe(value, &labels.collect::<Vec<_>>());
            }
        };
        match metric.kind {
            MetricKind::Counter => {
                let counter = meter.f64_observable_counter(metric.name);
                counter.with_description(metric.help).with_callback(read).build();
            }
            MetricKind::Gauge => {
                let gauge = meter.f64_observable_gauge(metric.name);
                gauge.with_description(metric.help).with_callback(read).build();
            }
        }
    }
}

/// The metrics, for whoever collects them.
#[derive(Clone)]
pub(super) struct MetricsPage(Arc<Registry>);

impl MetricsPage {
    /// Of this daemon.
    pub(super) fn new(health: &Arc<Health>) -> Self {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(HealthCollector(Arc::clone(health))));
        Self(Arc::new(registry))
    }

    fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        text::encode(&mut text, &self.0)?;
        Ok(text)
    }
}

/// Reads the metrics of a daemon when they are collected.
struct HealthCollector(Arc<Health>);

impl fmt::Debug for HealthCollector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HealthCollector").finish_non_exhaustive()
    }
}

impl Collector for HealthCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for metric in &METRICS {
            let points = (metric.read)(&self.0);
            if points.is_empty() {
                continue;
            }
            let kind = match metric.kind {
                MetricKind::Counter => <ConstCounter<f64> as TypedMetric>::TYPE,
                MetricKind::Gauge => MetricType::Gauge,
            };
            let mut described = encoder.encode_descriptor(metric.name, metric.help, None, kind)?;
            for MetricPoint { labels, value } in points {
                let encode = |encoder: MetricEncoder<'_>| match metric.kind {
                    MetricKind::Counter => ConstCounter::new(value).encode(encoder),
                    MetricKind::Gauge => ConstGauge::new(value).encode(encoder),
                };
                encode(described.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}

impl Answerer for MetricsPage {
    async fn answer(&self, path: &str) -> Response<Full<Bytes>> {
        match (path, self.text()) {
            ("/metrics", Ok(text)) => http_server::response(StatusCode::OK, CONTENT_TYPE, text),
            ("/metrics", Err(_)) => {
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                http_server::response(status, "text/plain", "no metrics\n".to_owned())
            }
            _ => {
                let text = "metrics are at /metrics\n".to_owned();
                http_server::response(StatusCode::NOT_FOUND, "text/plain", text)
            }
        }
    }
}

/// Listens for whoever collects metrics.
pub(super) async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|source| Error::Metrics { address, source })
}
