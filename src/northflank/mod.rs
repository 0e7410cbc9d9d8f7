//! The Northflank API, as far as it tells who has access: requests, paging, models of the
//! answers. Knows nothing of baton.

mod base_url;
mod budget;
mod client;
mod connection;
mod error;
mod lenient;
mod model;
mod page;
mod page_token;
mod paginator;
mod permission;
mod rate_headers;
mod request;
mod retry;
mod shape;
mod text;
mod whoami;
mod window;
mod wording;

pub use base_url::{BaseUrl, BaseUrlError};
pub use budget::{TooLong, Wait, Window};
pub use client::Client;
pub use connection::{Settings, SettingsError, tls};
pub use error::{Error, Problem, Refusal, TransportProblem};
pub use lenient::Dispensable;
pub use model::{
    DirectoryGroup, DirectoryGroupMember, Email, Member, ProjectRestrictions, Restrictions, Role,
    RoleMember, TeamRestriction,
};
pub use page::{Listed, PageError, Told};
pub use paginator::{FirstPage, ListPage, Paginator};
pub use permission::{READ_MEMBERS, READ_ROLES};
pub use shape::Shapes;
pub use text::Text;
pub use whoami::{Access, Expiry, Owner, Whoami};
