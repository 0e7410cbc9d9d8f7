//! The Northflank API, as far as it tells who has access: requests, paging, models of the
//! answers. Knows nothing of baton.

mod api_token;
mod base_url;
mod client;
mod connection;
mod error;
mod lenient;
mod list;
mod model;
mod page;
mod page_body;
mod page_token;
mod paginator;
mod permission;
mod rate_headers;
mod rate_limit;
mod rate_window;
mod request;
mod retry;
mod schema_report;
mod text;
mod text_format;
mod whoami;

pub use api_token::{ApiToken, TokenReader};
pub use base_url::{BaseUrl, BaseUrlError};
pub use client::Client;
pub use connection::{ClientSettings, ClientSettingsError, tls};
pub use error::{Error, Problem, Refusal, TransportProblem};
pub use lenient::Lenient;
pub use list::{AnyRow, List, ListDeclaration, ListKind, Rows};
pub use model::{
    DirectoryGroup, DirectoryGroupMember, Email, ListedToken, Member, ProjectRestrictions, Role,
    RoleMember, RoleRestrictions, Team, TeamMember, TeamRestriction, TeamRole,
};
pub use page::Page;
pub use page_body::{ListRow, PageBody, PageError};
pub use paginator::{Paginator, StartedList};
pub use permission::{
    READ_MEMBERS, READ_ROLES, READ_TEAM_MEMBERS, READ_TEAM_ROLES, READ_TEAMS, READ_TOKENS,
};
pub use rate_limit::{RateLimitWait, RateWindow, WaitTooLong};
pub use schema_report::SchemaReport;
pub use text::Text;
pub use whoami::{TokenExpiry, TokenOwner, TokenPermissions, Whoami};
