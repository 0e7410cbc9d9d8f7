//! The permissions that it takes to read an organization and its teams, as Northflank spells
//! them: its pages and both of its own clients write `Organisation`.

/// To read the members of the organization and of directory groups.
pub const READ_MEMBERS: &str = "Organisation > Admin > Members > Read";

/// To read roles, their members and the list of directory groups.
pub const READ_ROLES: &str = "Organisation > Admin > Roles > Read";

/// To read the list of teams.
pub const READ_TEAMS: &str = "Organisation > Team > General > Read";

/// To read the members of teams.
pub const READ_TEAM_MEMBERS: &str = "Account > Admin > Members > Read";

/// To read the roles of teams, and who holds them.
pub const READ_TEAM_ROLES: &str = "Account > Admin > Roles > Read";

/// To read the API tokens of the organization and of teams.
pub const READ_TOKENS: &str = "Account > Admin > ApiTokens > Read";
