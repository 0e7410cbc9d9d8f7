//! What rows of Northflank's are, as far as a sync is concerned: people, things that people are
//! in, or who is in one.

use std::fmt::Debug;

use crate::baton::v2::Resource;
use crate::northflank::{
    DirectoryGroup, DirectoryGroupMember, Email, Lenient, List, ListKind, Member, Role, RoleMember,
    Rows, Text,
};

use super::group::{GROUP_MEMBER, group};
use super::resource_type::EntitlementSpec;
use super::role::{ROLE_ASSIGNED, role};

/// What rows are.
#[derive(Debug)]
pub enum RowContent {
    /// The organization's members.
    People(Vec<Member>),
    /// What people are in, each with an entitlement.
    Containers(Vec<Box<dyn AccessContainer>>),
    /// Who is in one of these.
    Memberships(Vec<Membership>),
}

impl From<Rows> for RowContent {
    fn from(rows: Rows) -> Self {
        fn containers<T: AccessContainer + 'static>(rows: Vec<T>) -> RowContent {
            let containers = rows.into_iter().map(|row| Box::new(row) as Box<dyn AccessContainer>);
            RowContent::Containers(containers.collect())
        }
        fn memberships<T: Into<Membership>>(rows: Vec<T>) -> RowContent {
            RowContent::Memberships(rows.into_iter().map(Into::into).collect())
        }
        match rows {
            Rows::Members(rows) => Self::People(rows),
            Rows::DirectoryGroups(rows) => containers(rows),
            Rows::DirectoryGroupMembers(rows) => memberships(rows),
            Rows::Roles(rows) => containers(rows),
            Rows::RoleMembers(rows) => memberships(rows),
        }
    }
}

/// Something of Northflank's that people are in, and that gives them something.
pub trait AccessContainer: Debug + Send {
    /// Its id.
    fn id(&self) -> &Text;

    /// What people call it.
    fn name(&self) -> Option<&Text>;

    /// It as a resource.
    fn resource(&self) -> Resource;

    /// The list that says who is in it.
    fn member_list(&self) -> List;

    /// What it gives.
    fn entitlement(&self) -> &'static EntitlementSpec;

    /// The ids of directory groups whose members hold it.
    fn linked_groups(&self) -> &[Text] {
        &[]
    }
}

impl AccessContainer for Role {
    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.name.as_ref()
    }

    fn resource(&self) -> Resource {
        role(self)
    }

    fn member_list(&self) -> List {
        List::of(ListKind::RoleMembers, self.id.clone())
    }

    fn entitlement(&self) -> &'static EntitlementSpec {
        &ROLE_ASSIGNED
    }

    fn linked_groups(&self) -> &[Text] {
        &self.directory_groups
    }
}

impl AccessContainer for DirectoryGroup {
    fn id(&self) -> &Text {
        &self.id
    }

    fn name(&self) -> Option<&Text> {
        self.name.as_ref()
    }

    fn resource(&self) -> Resource {
        group(self)
    }

    fn member_list(&self) -> List {
        List::of(ListKind::DirectoryGroupMembers, self.id.clone())
    }

    fn entitlement(&self) -> &'static EntitlementSpec {
        &GROUP_MEMBER
    }
}

/// Somebody who is in something.
#[derive(Debug)]
pub struct Membership {
    /// The username; `None` for somebody without an account.
    pub id: Option<Text>,
    /// The full name.
    pub name: Lenient<Text>,
    /// E-mail addresses, in the API's order.
    pub emails: Vec<Email>,
    /// When the user last logged in, RFC 3339.
    pub last_login: Lenient<Text>,
    /// Northflank's word for it; `None` if it was added by hand or there is no other way.
    pub reported: Option<Text>,
}

impl From<DirectoryGroupMember> for Membership {
    fn from(row: DirectoryGroupMember) -> Self {
        let DirectoryGroupMember { id, name, emails, last_login } = row;
        Self { id, name, emails, last_login, reported: None }
    }
}

impl From<RoleMember> for Membership {
    fn from(row: RoleMember) -> Self {
        let RoleMember { id, name, emails, membership, last_login } = row;
        let reported = match membership.into_option() {
            Some(word) if &*word == "explicit" => None,
            word => Some(word.unwrap_or_else(|| "unknown".into())),
        };
        Self { id: Some(id), name, emails, last_login, reported }
    }
}
