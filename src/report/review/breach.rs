//! In which way a rule is broken.

use std::borrow::Cow;
use std::rc::Rc;

use time::OffsetDateTime;

use crate::report::access::{HeldVia, day};
use crate::report::findings::{FindingKind, FindingNote, FindingQuery};
use crate::report::model::{AccountInfo, EntitlementInfo, ResourceInfo};

use super::message::Message;
use super::rules::HeldWay;

/// In which way a rule is broken.
#[derive(Debug, Clone)]
pub(super) enum Breach {
    /// Somebody else than those who may holds it, in this way.
    Only(Rc<HeldVia>),
    /// Too few hold these.
    Min(HolderCount),
    /// Too many hold these.
    Max(HolderCount),
    /// It is held in another way than it may be.
    Held(HeldWay, Rc<HeldVia>),
    /// The account isn't as demanded.
    Status(&'static str),
    /// The address isn't verified, or is.
    EmailVerified(bool),
    /// The last login is longer ago than so many days or hours, in words, or isn't known.
    LoginWithin(Rc<str>),
    /// Somebody holds all of these.
    NotTogether(Rc<[Rc<ResourceInfo>]>),
    /// Worth a look anyway.
    Finding(FindingQuery, Rc<FindingNote>),
}

/// How many hold something, and how many may.
#[derive(Debug, Clone)]
pub(super) struct HolderCount {
    pub(super) of: Rc<[Rc<ResourceInfo>]>,
    pub(super) count: u64,
    pub(super) bound: u64,
}

impl Breach {
    /// The demand that isn't met.
    pub(super) fn demand(&self) -> Cow<'static, str> {
        match self {
            Self::Only(_) => "only",
            Self::Min(_) => "holders.min",
            Self::Max(_) => "holders.max",
            Self::Held(..) => "held",
            Self::Status(_) => "require.status",
            Self::EmailVerified(_) => "require.email-verified",
            Self::LoginWithin(_) => "require.login-within",
            Self::NotTogether(_) => "not-together",
            Self::Finding(query, _) => return format!("finding.{}", query.kind.id()).into(),
        }
        .into()
    }

    /// How many there are, where it is a matter of number.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Self::Min(count) | Self::Max(count) => Some(count.count),
            _ => None,
        }
    }

    /// What else tells it from others: the id of a group that is missing.
    pub(super) fn detail(&self) -> Option<&str> {
        match self {
            Self::Finding(_, note) => match &**note {
                FindingNote::Group(id) => Some(id),
                _ => None,
            },
            _ => None,
        }
    }

    /// What is wrong: of whom or what, by holding what.
    pub(super) fn message(
        &self,
        of: Option<&Rc<ResourceInfo>>,
        entitlement: &[Rc<EntitlementInfo>],
    ) -> Message {
        let account = of.and_then(|of| of.person.as_ref());
        let start = of.map_or_else(Message::default, |of| Message::default().person(of));
        let holds = || start.clone().text(" holds ").all(entitlement, Message::entitlement);
        match self {
            Self::Only(path) => holds().text(" (").path(path).text("), which only others may"),
            Self::Min(count) => count.message("at least", "needed"),
            Self::Max(count) => count.message("at most", "allowed"),
            Self::Held(wanted, path) => {
                let wanted = match wanted {
                    HeldWay::ThroughGroup => "through a group only",
                    HeldWay::Directly => "directly only",
                    HeldWay::Any => "in any way",
                };
                holds().text(" (").path(path).text(format!("), which is to be held {wanted}"))
            }
            Self::Status(wanted) => {
                let status = account.and_then(|account| account.status.as_ref());
                let is = match status {
                    Some(status) if status.word.is_some() => format!("is {status}"),
                    Some(status) if !status.details.is_empty() => {
                        format!("has no known status ({})", status.details)
                    }
                    _ => "has no known status".to_owned(),
                };
                holds().text(format!("; the account {is}, and is to be {wanted}"))
            }
            Self::EmailVerified(wanted) => {
                let is = match account.and_then(|account| account.is_verified) {
                    Some(true) => "is verified",
                    Some(false) => "isn't verified",
                    None => "isn't known to be verified or not",
                };
                let wanted = if *wanted { "is to be" } else { "is not to be" };
                holds().text(format!("; the address {is}, and {wanted}"))
            }
            Self::LoginWithin(within) => {
                let login = match account.and_then(|account| account.last_login) {
                    Some(time) => format!("the last login, on {}, is", on(time)),
                    None => "no login is known, and the last one is not to be".to_owned(),
                };
                holds().text(format!("; {login} more than {within} before the sync"))
            }
            Self::NotTogether(of) => start
                .text(" holds ")
                .all(of, Message::resource)
                .text(", which nobody may hold together"),
            Self::Finding(query, note) => of_finding(*query, note, of),
        }
    }
}

impl HolderCount {
    fn message(&self, bound: &str, is: &str) -> Message {
        let verb = if self.bound == 1 { "is" } else { "are" };
        let bound = format!("{bound} {} {verb} {is}", self.bound);
        let holders = match (self.count, self.of.len()) {
            (0, 0 | 1) => " has no holder".to_owned(),
            (0, _) => " have no holder".to_owned(),
            (1, 0 | 1) => " has 1 holder".to_owned(),
            (1, _) => " have 1 holder".to_owned(),
            (count, 0 | 1) => format!(" has {count} holders"),
            (count, _) => format!(" have {count} holders"),
        };
        Message::default().all(&self.of, Message::resource).text(format!("{holders}; {bound}"))
    }
}

fn of_finding(query: FindingQuery, note: &FindingNote, of: Option<&Rc<ResourceInfo>>) -> Message {
    let message = Message::default();
    let message = match of {
        Some(of) if query.kind.is_of_nobody() => message.resource(of),
        Some(of) => message.person(of),
        None => message,
    };
    match (query.kind, note) {
        (FindingKind::UnusableAccounts, FindingNote::Status(status)) => {
            message.text(format!(" holds something; the account is {status}"))
        }
        (FindingKind::OutsideMemberList, _) => message.text(" isn't in the list of members"),
        (FindingKind::StatusUnknown, FindingNote::Status(status)) => {
            message.text(format!(" has no known status ({})", status.details))
        }
        (FindingKind::UnverifiedAddresses, _) => {
            message.text(" has an address that isn't verified")
        }
        (FindingKind::UnexplainedMemberships, FindingNote::Held(grant)) => message
            .text(" holds ")
            .entitlement(&grant.entitlement)
            .text(" (")
            .path(&grant.path)
            .text("), which nothing explains"),
        (FindingKind::DirectBesideGroup, FindingNote::Held(grant)) => {
            message.text(" holds ").entitlement(&grant.entitlement).text(" ").path(&grant.path)
        }
        (FindingKind::RolesWithoutHolders, _) => message.text(" has no holder"),
        (FindingKind::MissingGroups, FindingNote::Group(id)) => {
            message.text(format!(" is linked with group {id}, which the file doesn't have"))
        }
        (FindingKind::PeopleWithoutRow | FindingKind::MissingGroups, _) => {
            message.text(" has no row in the file")
        }
        (FindingKind::Idle, FindingNote::LastLogin(time)) => message.text(format!(
            " last logged in on {}, more than {} days before the sync",
            on(*time),
            query.days
        )),
        (FindingKind::LoginUnknown, _) => message.text(" has no known login"),
        (FindingKind::TeamOnlyPeople, _) => {
            message.text(" is in a team and no member of the organization")
        }
        (FindingKind::TokenWithoutExpiry, _) => message.text(" has no expiry"),
        (FindingKind::TokenUnused, FindingNote::IdleSince(time, was_used)) => {
            let when = if *was_used { "was last used on" } else { "was never used since" };
            message.text(format!(
                " {when} {}, more than {} days before the sync",
                on(*time),
                query.days
            ))
        }
        (FindingKind::TokenOrphaned, FindingNote::Address(address)) => message.text(format!(
            " was made by {}, whom no user is",
            address.as_deref().unwrap_or_default()
        )),
        (FindingKind::TokenOfOwner, _) => message.text(" acts as owner"),
        (kind, _) => message.text(format!(": {}", kind.id())),
    }
}

/// The day of a time.
fn on(time: OffsetDateTime) -> String {
    format!("{} UTC", day(time))
}

/// Whether an account is as demanded.
pub(super) fn has_status(account: Option<&AccountInfo>, wanted: &str) -> bool {
    let status = account.and_then(|account| account.status.as_ref());
    status.is_some_and(|status| status.word == Some(wanted))
}
