//! The permissions that it takes to read an organization, as Northflank spells them: its
//! pages and both of its own clients write `Organisation`.

/// To read the members of the organization and of directory groups.
pub const READ_MEMBERS: &str = "Organisation > Admin > Members > Read";

/// To read roles, their members and the list of directory groups.
pub const READ_ROLES: &str = "Organisation > Admin > Roles > Read";
