//! Debug logs of single tasks: ConductorOne can ask for one along with a task's result.
//!
//! A task's span names the file. A layer of the subscriber writes there whatever is logged
//! within the span, down to debug, whatever the process logs elsewhere.

use std::fmt;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::dynamic_filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};
use tracing_subscriber::{Layer, Registry};

use crate::baton::legible_json;
use crate::northflank::ApiToken;
use crate::private_fs::private_file;

/// The field of a span that names the file. Empty for no file.
const FIELD: &str = "debug_log";

/// Where this crate's own lines come from. Those of libraries could show headers.
const OWN: &str = env!("CARGO_CRATE_NAME");

/// Writes the debug logs of tasks, one JSON object a line, without secrets.
pub fn layer(token: ApiToken, client_secret: SecretString) -> impl Layer<Registry> + Send + Sync {
    let wanted = dynamic_filter_fn(|metadata: &Metadata<'_>, context: &Context<'_, Registry>| {
        if *metadata.level() > Level::DEBUG || !metadata.target().starts_with(OWN) {
            return false;
        }
        // Of spans only those that name a file: the others cost nothing then.
        metadata.fields().field(FIELD).is_some() || {
            let current = context.lookup_current();
            let mut scope = current.iter().flat_map(SpanRef::scope);
            scope.any(|span| span.extensions().get::<DebugLog>().is_some())
        }
    });
    DebugLogs { token, client_secret }.with_filter(wanted.with_max_level_hint(LevelFilter::DEBUG))
}

struct DebugLogs {
    token: ApiToken,
    client_secret: SecretString,
}

/// The file of a span.
struct DebugLog(File);

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for DebugLogs {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = JsonFields::default();
        attributes.record(&mut fields);
        let Some(Value::String(path)) = fields.0.get(FIELD) else {
            return;
        };
        // A file that can't be made is found missing at the upload.
        if let (Some(span), Ok(file)) = (context.span(id), private_file(Path::new(path))) {
            span.extensions_mut().insert(DebugLog(file));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(DebugLog(file)) = span.extensions().get() {
                // The task matters more than its log.
                let _ = (&*file).write_all(self.line(event).as_bytes());
                return;
            }
        }
    }
}

impl DebugLogs {
    fn line(&self, event: &Event<'_>) -> String {
        let mut fields = JsonFields::default();
        event.record(&mut fields);
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        fields.0.insert("timestamp".to_owned(), now.into());
        fields.0.insert("level".to_owned(), event.metadata().level().as_str().into());
        let mut line = Value::Object(fields.0).to_string();
        for secret in self.token.all().iter().chain([&self.client_secret]) {
            #[expect(clippy::disallowed_methods, reason = "kept out of a log")]
            let secret = secret.expose_secret();
            if !secret.is_empty() && line.contains(secret) {
                line = line.replace(secret, "[redacted]");
            }
        }
        line.push('\n');
        legible_json(&line).into_owned()
    }
}

/// Fields as JSON.
#[derive(Default)]
struct JsonFields(Map<String, Value>);

impl JsonFields {
    fn set(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for JsonFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{LevelFilter, layer};
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::SubscriberExt;

    #[test]
    fn only_what_happens_in_the_span_is_written_and_no_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("task.log");
        // As in the binary, beside a layer that wants less.
        let less = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
        let less = vec![less.boxed()].with_filter(LevelFilter::INFO).boxed();
        let layers = vec![less, layer("nf-secret".into(), "".into()).boxed()];
        let subscriber = tracing_subscriber::registry().with(layers);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("before");
            let span = tracing::debug_span!("task", debug_log = path.to_str());
            span.in_scope(|| {
                tracing::debug!(count = 3, "within: nf-secret");
                tracing::info_span!("inner").in_scope(|| tracing::warn!(flag = true, "deeper"));
                tracing::trace!("too much");
                tracing::debug!(target: "hyper", "a library's");
            });
            tracing::info!("after");
        });
        let log = std::fs::read_to_string(path).unwrap();
        let lines: Vec<serde_json::Value> =
            log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{log}");
        assert_eq!(lines[0]["message"], "within: [redacted]");
        assert_eq!((&lines[0]["count"], &lines[0]["level"]), (&3.into(), &"DEBUG".into()));
        assert_eq!((&lines[1]["message"], &lines[1]["flag"]), (&"deeper".into(), &true.into()));
    }
}
