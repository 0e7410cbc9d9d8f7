//! Answers to the tasks that a connector which only syncs does not do.

use prost_types::Any;
use tonic::Code;

use super::platform::{TaskFailure, TaskOutcome};
use super::protocol::task::TaskType;

/// The answer to a task that isn't done here.
///
/// Codes and finality are those of a Go connector without the ability, but that such tasks
/// are always answered: baton-sdk leaves some without one.
pub(super) fn unsupported_outcome(task: Option<&TaskType>) -> TaskOutcome {
    use TaskType as T;
    let (code, message, is_final) = match task {
        Some(T::Grant(_) | T::Revoke(_)) => {
            (Code::Unimplemented, "this connector only syncs: it can't grant or revoke", true)
        }
        Some(T::CreateAccount(_)) => {
            (Code::Unimplemented, "this connector only syncs: it can't create accounts", true)
        }
        Some(T::CreateResource(_) | T::DeleteResource(_)) => (
            Code::Unimplemented,
            "this connector only syncs: it can't create or delete resources",
            true,
        ),
        Some(T::RotateCredentials(_) | T::IssueCredential(_)) => (
            Code::Unimplemented,
            "this connector only syncs: it can't issue or rotate credentials",
            true,
        ),
        Some(
            T::CreateTicketTask(_)
            | T::ListTicketSchemas(_)
            | T::GetTicket(_)
            | T::BulkCreateTickets(_)
            | T::BulkGetTickets(_),
        ) => (Code::Unimplemented, "this connector has no tickets", false),
        Some(T::ListEvents(_)) => (Code::Unimplemented, "this connector has no event feed", false),
        Some(T::ActionGetSchema(_) | T::ActionInvoke(_) | T::ActionStatus(_)) => {
            (Code::NotFound, "this connector has no actions", false)
        }
        // There are none, which is an answer.
        Some(T::ListEventFeeds(_)) => return Ok(Some(empty("ListEventFeedsResponse"))),
        Some(T::ActionListSchemas(_)) => return Ok(Some(empty("ListActionSchemasResponse"))),
        Some(
            T::EventFeed(_)
            | T::CreateSyncDiff(_)
            | T::CompactSyncs(_)
            // Done elsewhere.
            | T::None(_)
            | T::Hello(_)
            | T::SyncFull(_),
        )
        | None => (Code::Unknown, "unsupported task type", false),
    };
    Err(TaskFailure { code, message: message.to_owned(), is_final })
}

/// An empty message of package `c1.connector.v2`.
fn empty(name: &str) -> Any {
    Any { type_url: format!("type.googleapis.com/c1.connector.v2.{name}"), value: Vec::new() }
}

/// What a task is called in logs.
pub(super) fn kind(task: Option<&TaskType>) -> &'static str {
    use TaskType as T;
    match task {
        None => "unknown",
        Some(T::None(_)) => "none",
        Some(T::Hello(_)) => "hello",
        Some(T::SyncFull(_)) => "sync_full",
        Some(T::Grant(_)) => "grant",
        Some(T::Revoke(_)) => "revoke",
        Some(T::CreateAccount(_)) => "create_account",
        Some(T::CreateResource(_)) => "create_resource",
        Some(T::DeleteResource(_)) => "delete_resource",
        Some(T::RotateCredentials(_)) => "rotate_credentials",
        Some(T::EventFeed(_)) => "event_feed",
        Some(T::CreateTicketTask(_)) => "create_ticket_task",
        Some(T::ListTicketSchemas(_)) => "list_ticket_schemas",
        Some(T::GetTicket(_)) => "get_ticket",
        Some(T::BulkCreateTickets(_)) => "bulk_create_tickets",
        Some(T::BulkGetTickets(_)) => "bulk_get_tickets",
        Some(T::ActionListSchemas(_)) => "action_list_schemas",
        Some(T::ActionGetSchema(_)) => "action_get_schema",
        Some(T::ActionInvoke(_)) => "action_invoke",
        Some(T::ActionStatus(_)) => "action_status",
        Some(T::CreateSyncDiff(_)) => "create_sync_diff",
        Some(T::CompactSyncs(_)) => "compact_syncs",
        Some(T::ListEventFeeds(_)) => "list_event_feeds",
        Some(T::ListEvents(_)) => "list_events",
        Some(T::IssueCredential(_)) => "issue_credential",
    }
}
