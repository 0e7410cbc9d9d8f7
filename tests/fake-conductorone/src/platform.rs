//! The fake, as tests use it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use loopback::{Listener, Server};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::TlsAcceptor;

use crate::api::task::{HelloTask, SyncFullTask, TaskType};
use crate::api::{BatonServiceHelloRequest, Task};
use crate::connection::{Shared, converse};
use crate::script::{Method, Outage, Rule};
use crate::state::{Call, Ending, State, Upload};
use crate::token::Registration;

/// How the platform is served.
#[derive(Debug, Clone)]
pub struct Options {
    /// Places for tasks that the connector has. Polling beyond them is a violation.
    pub task_concurrency: usize,
    /// The life of a token; `None` for an answer that doesn't say.
    pub token_life: Option<Duration>,
    /// When to poll again.
    pub next_poll: Duration,
    /// When to send the next heartbeat.
    pub next_heartbeat: Duration,
    /// Whether uploads are kept for the test to look at.
    pub keep_uploads: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            task_concurrency: 3,
            token_life: Some(Duration::from_hours(1)),
            next_poll: Duration::from_millis(20),
            next_heartbeat: Duration::from_secs(1),
            keep_uploads: true,
        }
    }
}

/// A running fake. Dropping it stops it.
pub struct FakeConductorOne {
    shared: Arc<Shared>,
    certificate: String,
    _server: Server,
}

impl FakeConductorOne {
    /// Serves on a free port of the loopback address.
    pub fn start(options: Options) -> io::Result<Self> {
        let names = vec!["localhost".to_owned()];
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).map_err(io::Error::other)?;
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).map_err(io::Error::other)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key)
            })
            .map_err(io::Error::other)?;
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];

        let listener = Listener::bind(0)?;
        let authority = format!("localhost:{}", listener.address().port());
        let registration =
            Registration::new("tidy-otter-7@tenant.example.com/pcc", "tenant.example.com")?;
        let state = State {
            keep_uploads: options.keep_uploads,
            next_poll: options.next_poll,
            next_heartbeat: options.next_heartbeat,
            ..State::default()
        };
        let shared = Arc::new(Shared::new(options, registration, authority, state));
        let (tls, serving) = (TlsAcceptor::from(Arc::new(tls)), Arc::clone(&shared));
        let server =
            listener.serve(move |stream| converse(stream, tls.clone(), Arc::clone(&serving)))?;
        Ok(Self { shared, certificate: cert.pem(), _server: server })
    }

    /// The connector's client id. Its host is not this fake's, which is reached by
    /// [`api_host`](Self::api_host).
    pub fn client_id(&self) -> &str {
        &self.shared.registration.client_id
    }

    /// The connector's client secret.
    pub fn client_secret(&self) -> &str {
        &self.shared.registration.client_secret
    }

    /// Host and port.
    pub fn api_host(&self) -> &str {
        &self.shared.authority
    }

    /// The certificate to trust, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Hands out a task as soon as the connector asks. Returns the task's id.
    pub fn assign(&self, task_type: TaskType) -> String {
        self.assign_task(Task { task_type: Some(task_type), ..Task::default() })
    }

    /// Hands out a full sync with no options.
    pub fn assign_sync(&self) -> String {
        self.assign(TaskType::SyncFull(SyncFullTask::default()))
    }

    /// Hands out a Hello.
    pub fn assign_hello(&self) -> String {
        self.assign(TaskType::Hello(HelloTask {}))
    }

    /// Hands out a task, under a fresh id unless it has one.
    pub fn assign_task(&self, mut task: Task) -> String {
        let mut state = self.shared.state();
        if task.id.is_empty() {
            state.assigned += 1;
            task.id = format!("task{:023}", state.assigned);
        }
        let id = task.id.clone();
        state.queue.push_back(task);
        id
    }

    /// Takes a task back that the connector never finished, as after a time-out, and hands it
    /// out again.
    pub fn assign_again(&self, task: &str) {
        let mut state = self.shared.state();
        state.in_flight.remove(task);
        let task_type = Some(TaskType::SyncFull(SyncFullTask::default()));
        state.queue.push_back(Task { id: task.to_owned(), task_type, ..Task::default() });
    }

    /// Answers the next heartbeat of a task with a cancellation.
    pub fn cancel(&self, task: &str) {
        self.shared.state().cancelled.insert(task.to_owned());
    }

    /// Scripts a fault.
    pub fn script(&self, rule: Rule) {
        self.shared.state().rules.push(rule);
    }

    /// Ends all faults.
    pub fn clear_script(&self) {
        self.shared.state().rules.clear();
    }

    /// Refuses all tokens given out so far.
    pub fn revoke_tokens(&self) {
        self.shared.state().tokens.clear();
    }

    /// Does nothing of what is asked, until it is up again.
    pub fn go_down(&self, outage: Outage) {
        self.shared.state().outage = Some(outage);
        if outage == Outage::Refusal {
            self.shared.break_connections();
        }
    }

    /// Goes down when a method is called next: that call is the first to meet the outage.
    pub fn go_down_at(&self, method: Method, outage: Outage) {
        self.shared.state().outage_at = Some((method, outage));
    }

    /// Whether it is down.
    pub fn is_down(&self) -> bool {
        self.shared.state().outage.is_some()
    }

    /// Ends the outage. What met only silence stays without an answer.
    pub fn come_up(&self) {
        let outage = self.shared.state().outage.take();
        if outage == Some(Outage::Silence) {
            self.shared.break_connections();
        }
    }

    /// How a task ended, once it did.
    ///
    /// # Panics
    ///
    /// If that takes longer than half a minute.
    pub fn ending(&self, task: &str) -> Ending {
        self.wait_for(&format!("the end of {task}"), |state| state.endings.get(task).cloned())
    }

    /// Waits for so many calls of a method in all.
    ///
    /// # Panics
    ///
    /// If that takes longer than half a minute.
    pub fn wait_for_calls(&self, method: Method, count: usize) {
        self.wait_for(&format!("{count} calls of {method:?}"), |state| {
            (state.counts.get(&method).copied().unwrap_or_default() >= count).then_some(())
        });
    }

    fn wait_for<T>(&self, what: &str, found: impl Fn(&State) -> Option<T>) -> T {
        let give_up_at = Instant::now() + Duration::from_secs(30);
        let mut state = self.shared.state();
        loop {
            if let Some(found) = found(&state) {
                return found;
            }
            assert!(Instant::now() < give_up_at, "{what} did not come: {:#?}", state.violations);
            let wait = self.shared.changed.wait_timeout(state, Duration::from_millis(20));
            state = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether a task has ended.
    pub fn has_ended(&self, task: &str) -> bool {
        self.shared.state().endings.contains_key(task)
    }

    /// All whole uploads of a task.
    pub fn uploads(&self, task: &str) -> Vec<Upload> {
        let state = self.shared.state();
        state.uploads.iter().filter(|upload| upload.task == task).cloned().collect()
    }

    /// All whole uploads of a task, which are kept no longer.
    pub fn take_uploads(&self, task: &str) -> Vec<Upload> {
        let mut state = self.shared.state();
        let uploads = std::mem::take(&mut state.uploads);
        let (taken, others) = uploads.into_iter().partition(|upload| upload.task == task);
        state.uploads = others;
        taken
    }

    /// What the connector did that it must not do.
    pub fn violations(&self) -> Vec<String> {
        self.shared.state().violations.clone()
    }

    /// All accepted Hellos.
    pub fn hellos(&self) -> Vec<BatonServiceHelloRequest> {
        self.shared.state().hellos.clone()
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.state().calls.clone()
    }

    /// How often each method was called.
    pub fn counts(&self) -> BTreeMap<Method, usize> {
        self.shared.state().counts.clone()
    }

    /// How often a method was called.
    pub fn count(&self, method: Method) -> usize {
        self.counts().get(&method).copied().unwrap_or_default()
    }

    /// The most tasks that were handed out and not finished.
    pub fn most_in_flight(&self) -> usize {
        self.shared.state().most_in_flight
    }

    /// The connector's user agent.
    pub fn user_agent(&self) -> Option<String> {
        self.shared.state().user_agent.clone()
    }

    /// Connections so far, and those that are open.
    pub fn connections(&self) -> (usize, usize) {
        let state = self.shared.state();
        (state.connections, state.open_connections)
    }

    /// Asserts that the connector behaved.
    ///
    /// # Panics
    ///
    /// If it didn't.
    pub fn assert_no_violations(&self) {
        let violations = &self.shared.state().violations;
        assert!(violations.is_empty(), "{violations:#?}");
    }
}
