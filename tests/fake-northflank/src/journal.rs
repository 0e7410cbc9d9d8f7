//! What has been asked and how it was answered.

use std::time::Duration;

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// When it came, on the fake's clock.
    pub at: Duration,
    /// The method.
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// All headers but `authorization`, as sent.
    pub headers: Vec<(String, String)>,
    /// SHA-256 of the token, in hex.
    pub token: Option<String>,
    /// The status of the answer.
    pub status: u16,
}
