//! Traces and logs over OTLP, as a collector receives them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::harness::daemon::{Daemon, northflank, platform};
use crate::harness::{Connector, TestDir, WAIT, exit_code, free_port, wait_until};
use fake_conductorone::{Code, Fault, Method, Rule};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{
    LogsService, LogsServiceServer,
};
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{
    ExportMetricsServiceRequest, ExportMetricsServiceResponse,
};
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

/// A collector that keeps what it gets.
#[derive(Clone, Default)]
struct Collector {
    spans: Arc<Mutex<Vec<Span>>>,
    lines: Arc<Mutex<Vec<String>>>,
    services: Arc<Mutex<Vec<String>>>,
    metrics: Arc<Mutex<Vec<Metric>>>,
}

#[tonic::async_trait]
impl MetricsService for Collector {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let resources = request.into_inner().resource_metrics.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_metrics);
        self.metrics.lock().unwrap().extend(scopes.flat_map(|scope| scope.metrics));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for resource in request.into_inner().resource_spans {
            let attributes = resource.resource.unwrap_or_default().attributes;
            let named = attributes.iter().filter(|attribute| attribute.key == "service.name");
            self.services.lock().unwrap().extend(named.map(|name| format!("{:?}", name.value)));
            let spans = resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.spans.lock().unwrap().extend(spans);
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl LogsService for Collector {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let resources = request.into_inner().resource_logs.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_logs);
        let records = scopes.flat_map(|scope| scope.log_records);
        self.lines.lock().unwrap().extend(records.map(|record| format!("{record:?}")));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

impl Collector {
    /// Serves on a free port, for as long as the runtime lives. Returns the port.
    fn serve(&self, runtime: &tokio::runtime::Runtime) -> u16 {
        self.serve_with(Server::builder(), runtime)
    }

    /// Serves with TLS as `localhost`. Returns the port and the certificate as PEM.
    fn serve_tls(&self, runtime: &tokio::runtime::Runtime) -> (u16, String) {
        let names = vec!["localhost".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        let identity = Identity::from_pem(cert.pem(), signing_key.serialize_pem());
        let tls = ServerTlsConfig::new().identity(identity);
        let server = Server::builder().tls_config(tls).unwrap();
        (self.serve_with(server, runtime), cert.pem())
    }

    /// Serves on this port.
    fn serve_at(&self, port: u16, runtime: &tokio::runtime::Runtime) {
        self.serve_on(port, Server::builder(), runtime);
    }

    fn serve_with(&self, server: Server, runtime: &tokio::runtime::Runtime) -> u16 {
        self.serve_on(0, server, runtime)
    }

    fn serve_on(&self, port: u16, mut server: Server, runtime: &tokio::runtime::Runtime) -> u16 {
        let _entered = runtime.enter();
        let incoming = TcpIncoming::bind(([127, 0, 0, 1], port).into()).unwrap();
        let port = incoming.local_addr().unwrap().port();
        let server = server
            .add_service(TraceServiceServer::new(self.clone()))
            .add_service(MetricsServiceServer::new(self.clone()))
            .add_service(LogsServiceServer::new(self.clone()));
        runtime.spawn(server.serve_with_incoming(incoming));
        port
    }

    /// How many spans there are of each name.
    fn names(&self) -> BTreeMap<String, usize> {
        let mut names = BTreeMap::new();
        for span in self.spans.lock().unwrap().iter() {
            *names.entry(span.name.clone()).or_default() += 1;
        }
        names
    }

    fn span(&self, name: &str) -> Span {
        let spans = self.spans.lock().unwrap();
        spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name}")).clone()
    }
}

#[test]
fn a_task_is_a_trace_with_its_phases_and_requests() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = Collector::default();
    let port = collector.serve(&runtime);
    let platform = platform();
    let northflank = northflank();
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT", format!("127.0.0.1:{port}"))
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE", "true")
    });
    let task = platform.assign_sync();
    assert_eq!(platform.ending(&task).code, Code::Ok);
    // What is left is sent at the end.
    let (code, log, _room) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");

    let names = collector.names();
    for name in ["task", "sync", "validate", "read", "write", "save", "upload"] {
        assert_eq!(names.get(name), Some(&1), "{name}: {names:?}");
    }
    assert_eq!(names["request"], northflank.requests());
    let (root, sync) = (collector.span("task"), collector.span("sync"));
    assert!(format!("{root:?}").contains(&task));
    assert_eq!(sync.parent_span_id, root.span_id);
    assert_eq!(collector.span("read").parent_span_id, sync.span_id);
    let spans = collector.spans.lock().unwrap().clone();
    assert!(spans.iter().all(|span| span.trace_id == root.trace_id), "one trace");
    assert!(format!("{:?}", collector.services.lock().unwrap()).contains("baton-northflank"));

    let lines = collector.lines.lock().unwrap().join("\n");
    assert!(lines.contains("sync complete") && lines.contains("stopping"), "{lines}");
    for secret in ["c1-token-", platform.client_secret(), northflank.token()] {
        assert!(!lines.contains(secret) && !format!("{spans:?}").contains(secret));
    }
    assert_eq!(platform.count(Method::FinishTask), 1);

    // The newest values are sent at the end as well, and are those of /metrics.
    let metrics = collector.metrics.lock().unwrap().clone();
    let newest = |name: &str| {
        let found = metrics.iter().rfind(|metric| metric.name == name);
        format!("{:?}", found.unwrap_or_else(|| panic!("no {name}: {metrics:?}")).data)
    };
    let tasks = newest("baton_northflank_tasks");
    assert!(
        tasks.contains("Sum") && tasks.contains("sync_full") && tasks.contains("AsDouble(1.0)")
    );
    let success = newest("baton_northflank_last_sync_success");
    assert!(success.contains("Gauge") && success.contains("AsDouble(1.0)"), "{success}");
    newest("baton_northflank_last_successful_sync_timestamp_seconds");
}

#[test]
fn what_ends_a_daemon_is_told_to_the_collector_as_well() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = Collector::default();
    let port = collector.serve(&runtime);
    let (platform, northflank) = (platform(), northflank());
    platform.script(Rule::every(Method::Token, Fault::Refuse(Code::Unauthenticated)));
    let mut daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT", format!("127.0.0.1:{port}"))
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE", "true")
    });
    wait_until("its end", WAIT, || !daemon.is_running());
    let (code, log, _room) = daemon.wait();
    assert_eq!(code, Some(exit_code::UNAUTHENTICATED), "{log}");
    let lines = collector.lines.lock().unwrap().clone();
    let fatal = lines.iter().filter(|line| line.contains("refuses the client id and secret"));
    assert_eq!(fatal.count(), 1, "{lines:?}");
}

#[test]
fn a_sync_without_conductorone_is_traced_too_and_either_kind_can_be_left_out() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    // Metrics are a service's.
    for (left_out, has_spans) in [("TRACING", false), ("LOGGING", true)] {
        let collector = Collector::default();
        let port = collector.serve(&runtime);
        let northflank = northflank();
        let room = TestDir::new();
        room.connector_to(&northflank)
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT", format!("127.0.0.1:{port}"))
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT_TLS_INSECURE", "true")
            .variable(&format!("BATON_OTEL_{left_out}_DISABLED"), "true")
            .run()
            .expect_success();
        assert_eq!(collector.names().contains_key("sync"), has_spans);
        assert!(collector.metrics.lock().unwrap().is_empty());
        assert_eq!(collector.lines.lock().unwrap().is_empty(), has_spans);
    }
}

#[test]
fn a_collector_is_believed_whose_certificate_is_trusted_and_no_other() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let northflank = northflank();
    let run = |trust: &dyn Fn(Connector, &TestDir, &str) -> Connector| {
        let (collector, room) = (Collector::default(), TestDir::new());
        let (port, certificate) = collector.serve_tls(&runtime);
        std::fs::write(room.file("ca.pem"), &certificate).unwrap();
        let connector = room
            .connector_to(&northflank)
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT", format!("localhost:{port}"));
        trust(connector, &room, &certificate).run().expect_success();
        collector.names().contains_key("sync") && !collector.lines.lock().unwrap().is_empty()
    };
    assert!(run(&|connector, _, certificate| {
        connector.variable("BATON_OTEL_COLLECTOR_ENDPOINT_TLS_CERT", certificate)
    }));
    assert!(run(&|connector, room, _| {
        connector.variable("BATON_OTEL_COLLECTOR_ENDPOINT_TLS_CERT_PATH", room.file("ca.pem"))
    }));
    // The system's own certificates, as far as this process knows.
    assert!(run(&|connector, room, _| connector.variable("SSL_CERT_FILE", room.file("ca.pem"))));
    assert!(!run(&|connector, _, _| connector));
}

/// What a log says when the collector stops to take what it gets.
const FAILS: &str = "the OpenTelemetry collector doesn't take traces, logs or metrics";

#[test]
fn a_collector_that_is_away_is_told_once_and_changes_nothing() {
    let northflank = northflank();
    let room = TestDir::new();
    let run = room
        .connector_to(&northflank)
        .variable("BATON_OTEL_COLLECTOR_ENDPOINT", "http://127.0.0.1:1")
        .run()
        .expect_success();
    let lines: Vec<_> = run.stderr().lines().filter(|line| line.contains(FAILS)).collect();
    assert!(lines.len() == 1 && lines[0].contains("127.0.0.1:1"), "{}", run.stderr());
    assert!(lines[0].contains("Connection refused"), "{}", run.stderr());
    assert_eq!(room.names(), ["sync.c1z"]);
}

#[test]
fn a_daemon_tells_once_that_the_collector_is_away_and_once_that_it_is_back() {
    let (platform, northflank) = (platform(), northflank());
    let port = free_port();
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector
            .variable("BATON_OTEL_COLLECTOR_ENDPOINT", format!("http://127.0.0.1:{port}"))
            .variable("BATON_LOG_LEVEL", "debug")
    });
    daemon.wait_for_log(FAILS);
    // So that more is sent, and fails.
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
    std::thread::sleep(Duration::from_secs(6));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let collector = Collector::default();
    collector.serve_at(port, &runtime);
    let back = "the OpenTelemetry collector takes traces, logs and metrics again";
    // Both have to arrive once, and traces are sent when there are some.
    wait_until(back, WAIT, || {
        assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok);
        daemon.log().contains(back)
    });
    let (code, log, _) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(log.matches(FAILS).count(), 1, "{log}");
    assert_eq!(log.matches(back).count(), 1, "{log}");
    assert!(collector.names().contains_key("sync"));
}
