//! The exit codes that docs/settings.md and docs/service.md promise, by name.

pub const UNKNOWN: i32 = 2;
pub const INVALID_ARGUMENT: i32 = 3;
pub const DEADLINE_EXCEEDED: i32 = 4;
pub const PERMISSION_DENIED: i32 = 7;
pub const RESOURCE_EXHAUSTED: i32 = 8;
pub const FAILED_PRECONDITION: i32 = 9;
pub const UNAVAILABLE: i32 = 14;
pub const UNAUTHENTICATED: i32 = 16;
pub const CHANGED: i32 = 20;
pub const VIOLATED: i32 = 21;
pub const HANGUP: i32 = 129;
pub const INTERRUPT: i32 = 130;
pub const TERMINATE: i32 = 143;
