//! Looking for what is worth a look, while somebody else reads the sync.

use std::collections::HashSet;
use std::rc::Rc;

use time::{Duration, OffsetDateTime};

use crate::baton::find;
use crate::baton::v2::{Resource, UserTrait};
use crate::c1z::RowKind;
use crate::report::access::{AccessReport, Error, FilterKind, GrantInfo, TypeTraits, day};
use crate::report::model::{
    AccountInfo, AccountStatus, NOT_LISTED, NameIndex, OWNER_ROLE, ResourceInfo, SecretInfo,
    SyncEnd,
};

use super::catalog::{FindingKind, FindingQuery};

/// What was found of one kind.
pub(in crate::report) struct FindingList {
    pub(in crate::report) query: FindingQuery,
    pub(in crate::report) places: Vec<FindingPlace>,
}

/// Where something was found.
pub(in crate::report) struct FindingPlace {
    /// Who or what it is about.
    pub(in crate::report) of: Rc<ResourceInfo>,
    pub(in crate::report) note: FindingNote,
}

/// What there is to say of it there.
#[derive(Debug, Clone)]
pub(in crate::report) enum FindingNote {
    /// Nothing more.
    Nothing,
    /// Whether the account can be used.
    Status(AccountStatus),
    /// The file has no row for it.
    NoRow,
    Address(Option<String>),
    /// What is held, and how.
    Held(GrantInfo),
    /// When somebody last logged in.
    LastLogin(OffsetDateTime),
    /// A group's id.
    Group(String),
    /// Since when a token hasn't been used, and whether it ever was.
    IdleSince(OffsetDateTime, bool),
}

impl FindingNote {
    /// It in words; may be nothing.
    pub(in crate::report) fn in_words(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            // Outside the list of members the note alone says it.
            Self::Status(status) if status.word.is_none() => status.details.clone(),
            Self::Status(status) => status.to_string(),
            Self::NoRow => "no row in the file".to_owned(),
            Self::Address(address) => address.clone().unwrap_or_default(),
            Self::Held(grant) => grant.path.in_words(),
            Self::LastLogin(time) => format!("last login {} UTC", day(*time)),
            Self::Group(id) => id.clone(),
            Self::IdleSince(time, true) => format!("last used {} UTC", day(*time)),
            Self::IdleSince(time, false) => format!("never used, made {} UTC", day(*time)),
        }
    }
}

/// A resource to look at, and what is told of its grants.
pub(in crate::report) struct ScannedResource<'subject> {
    pub(in crate::report) of: &'subject Rc<ResourceInfo>,
    /// The ids of groups that it says it is linked with.
    pub(in crate::report) linked: &'subject [String],
    /// Whether it holds something.
    pub(in crate::report) holds_something: bool,
    /// Whether anybody holds it, be it a group that it is linked with.
    pub(in crate::report) has_holders: bool,
    /// Whether anybody holds it but groups for their members.
    pub(in crate::report) is_held: bool,
}

/// Looks for what it is asked for.
pub(in crate::report) struct FindingScan<'access> {
    access: &'access AccessReport,
    lists: Vec<FindingList>,
    /// When the sync ended, as far as the file tells.
    end: Option<OffsetDateTime>,
    knows_logins: bool,
    /// The addresses of all users in lower case, where that matters and there are users.
    addresses: Option<HashSet<String>>,
}

impl<'access> FindingScan<'access> {
    pub(in crate::report) fn new(
        access: &'access AccessReport,
        queries: impl IntoIterator<Item = FindingQuery>,
    ) -> Result<Self, Error> {
        let sync = access.sync().sync();
        let list = |query| FindingList { query, places: Vec::new() };
        Ok(Self {
            access,
            lists: queries.into_iter().map(list).collect(),
            end: SyncEnd::parse(&sync.ended_at, sync.is_utc).map(|end| end.time),
            knows_logins: false,
            addresses: if access.traits().has_secrets() { addresses(access)? } else { None },
        })
    }

    /// Looks at a grant of somebody's.
    pub(in crate::report) fn grant(&mut self, grant: &GrantInfo) {
        let is_found = |kind| match kind {
            FindingKind::UnexplainedMemberships => {
                !grant.path.is_direct() && grant.path.through().is_empty()
            }
            FindingKind::DirectBesideGroup => {
                grant.path.is_direct() && !grant.path.through().is_empty()
            }
            _ => false,
        };
        for list in &mut self.lists {
            if is_found(list.query.kind)
                && self.access.traits().of(&grant.principal.reference.resource_type).user
            {
                let (of, note) = (grant.principal.clone(), FindingNote::Held(grant.clone()));
                list.places.push(FindingPlace { of, note });
            }
        }
    }

    /// Looks at somebody or something, once.
    pub(in crate::report) fn resource(
        &mut self,
        subject: &ScannedResource<'_>,
    ) -> Result<(), Error> {
        let traits = self.access.traits().of(&subject.of.reference.resource_type);
        let account = subject.of.person.as_ref();
        self.knows_logins |=
            traits.user && account.is_some_and(|account| account.last_login.is_some());
        for list in &mut self.lists {
            let FindingQuery { kind, days } = list.query;
            if kind == FindingKind::MissingGroups {
                for note in missing_groups(self.access, traits, subject)? {
                    list.places.push(FindingPlace { of: subject.of.clone(), note });
                }
                continue;
            }
            let note = if traits.user {
                let last_login = account.and_then(|account| account.last_login);
                of_account(kind, account, subject.holds_something).or_else(|| {
                    let login = last_login.filter(|_| kind == FindingKind::Idle)?;
                    let is_long_ago = self.end? - login > Duration::days(days.into());
                    is_long_ago.then_some(FindingNote::LastLogin(login))
                })
            } else if traits.secret {
                let secret = subject.of.secret.as_ref();
                secret.and_then(|secret| {
                    of_secret(list.query, secret, self.end, self.addresses.as_ref())
                })
            } else {
                let is_idle_role = kind == FindingKind::RolesWithoutHolders
                    && traits.role
                    && !traits.group
                    && !subject.is_held
                    && subject.of.holders_without_id.is_none();
                is_idle_role.then_some(FindingNote::Nothing)
            };
            list.places.extend(note.map(|note| FindingPlace { of: subject.of.clone(), note }));
        }
        Ok(())
    }

    /// Whether the login of anybody who was looked at is known.
    pub(in crate::report) fn knows_logins(&self) -> bool {
        self.knows_logins
    }

    /// What was found, in the order in which it was asked for.
    pub(in crate::report) fn finish(self) -> Vec<FindingList> {
        self.lists
    }
}

/// What is worth a look of all secrets of a file, which hold nothing and give nothing, as far as
/// anything was found; nothing where only a part of the file was asked for.
pub(in crate::report) fn findings_of_secrets(
    access: &AccessReport,
) -> Result<Vec<FindingList>, Error> {
    if !access.is_everything() || !access.traits().has_secrets() {
        return Ok(Vec::new());
    }
    let kinds = FindingKind::ALL.into_iter().filter(|kind| kind.is_of_secrets());
    let mut scan = FindingScan::new(access, kinds.map(FindingQuery::new))?;
    access.each_resource(|of, _| {
        if !access.traits().of(&of.reference.resource_type).secret {
            return Ok(());
        }
        scan.resource(&ScannedResource {
            of,
            linked: &[],
            holds_something: false,
            has_holders: false,
            is_held: false,
        })
    })?;
    let found = scan.finish().into_iter().filter(|list| !list.places.is_empty());
    Ok(found.collect())
}

/// What is told of somebody as an account.
fn of_account(
    kind: FindingKind,
    account: Option<&AccountInfo>,
    holds_something: bool,
) -> Option<FindingNote> {
    let Some(account) = account else {
        return (kind == FindingKind::PeopleWithoutRow).then_some(FindingNote::NoRow);
    };
    let status = account.status.as_ref();
    let with_status = |is_found: fn(&AccountStatus) -> bool| {
        status.filter(|status| is_found(status)).cloned().map(FindingNote::Status)
    };
    match kind {
        FindingKind::UnusableAccounts if holds_something => {
            with_status(|status| !matches!(status.word, Some("enabled") | None))
        }
        FindingKind::OutsideMemberList => with_status(is_outside),
        FindingKind::StatusUnknown => with_status(|status| {
            status.word.is_none() && !status.details.is_empty() && !is_outside(status)
        }),
        FindingKind::UnverifiedAddresses => (account.is_verified == Some(false))
            .then(|| FindingNote::Address(account.email.clone())),
        FindingKind::LoginUnknown => account.last_login.is_none().then_some(FindingNote::Nothing),
        FindingKind::TeamOnlyPeople => account.is_outsider.then_some(FindingNote::Nothing),
        _ => None,
    }
}

/// What is told of a secret.
fn of_secret(
    FindingQuery { kind, days }: FindingQuery,
    secret: &SecretInfo,
    end: Option<OffsetDateTime>,
    addresses: Option<&HashSet<String>>,
) -> Option<FindingNote> {
    match kind {
        FindingKind::TokenWithoutExpiry => (!secret.has_expiry).then_some(FindingNote::Nothing),
        FindingKind::TokenUnused => {
            let since = secret.idle_since?;
            let is_long_ago = end? - since > Duration::days(days.into());
            is_long_ago.then_some(FindingNote::IdleSince(since, secret.was_used))
        }
        FindingKind::TokenOrphaned => {
            let creator = secret.creator.as_ref()?;
            let is_unknown = !addresses?.contains(&creator.trim().to_lowercase());
            is_unknown.then(|| FindingNote::Address(Some(creator.clone())))
        }
        FindingKind::TokenOfOwner => {
            (secret.role.as_deref() == Some(OWNER_ROLE)).then_some(FindingNote::Nothing)
        }
        _ => None,
    }
}

/// The addresses of all users of a file, in lower case; `None` if it has no users.
fn addresses(access: &AccessReport) -> Result<Option<HashSet<String>>, Error> {
    let names = NameIndex::new(access.sync());
    let (mut addresses, mut has_users) = (HashSet::new(), false);
    access.sync().each(RowKind::Resources, |_, data| {
        let resource: Resource = names.decode(data)?;
        if let Some(user) = find::<UserTrait>(&resource.annotations) {
            has_users = true;
            let emails = user.emails.into_iter().map(|email| email.address);
            addresses.extend(emails.map(|address| address.trim().to_lowercase()));
        }
        Ok::<_, Error>(())
    })?;
    Ok(has_users.then_some(addresses))
}

fn is_outside(status: &AccountStatus) -> bool {
    status.word.is_none() && status.details == NOT_LISTED
}

/// Groups that a role names and the file doesn't have, or a group itself that only grants name.
fn missing_groups(
    access: &AccessReport,
    traits: TypeTraits,
    subject: &ScannedResource<'_>,
) -> Result<Vec<FindingNote>, Error> {
    if traits.user {
        return Ok(Vec::new());
    }
    if traits.group {
        let is_missing = subject.of.person.is_none();
        return Ok(is_missing.then_some(FindingNote::NoRow).into_iter().collect());
    }
    let mut missing = Vec::new();
    for id in subject.linked.iter().filter(|_| traits.role || subject.has_holders) {
        let mut is_there = false;
        for resource_type in access.traits().types(FilterKind::Group) {
            is_there |= access.row(resource_type, id)?.is_some();
        }
        if !is_there {
            missing.push(FindingNote::Group(id.clone()));
        }
    }
    Ok(missing)
}
