//! What a token's role may be allowed, by the names that Northflank shows.

/// The permission to read the members of the organization and of directory groups.
pub const READ_MEMBERS: &str = "Organization > Admin > Members > Read";

/// The permission to read roles, their members and directory groups.
pub const READ_ROLES: &str = "Organization > Admin > Roles > Read";
