//! What goes wrong on the way to Northflank. No fault makes an answer that nobody could tell
//! from a true one.

use crate::harness::exit_code;
use std::time::Duration;

use fake_northflank::{Action, Delivery, Encoding, Endpoint, Options, Organization, Rule, Word};
use serde_json::{Value, json};

use super::draw::Draw;
use super::world::stays_linked;

/// A fault of some requests.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    kind: Kind,
    endpoint: Endpoint,
    of: Option<String>,
    after: usize,
    times: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Status(u16),
    /// As a gateway answers that knows nothing of JSON.
    Gateway(u16),
    /// A cursor that has expired, or a number behind the end: a later page is refused, as the API
    /// does it or with an empty body.
    Expired(u16, bool),
    /// 429, with seconds to wait or without.
    Refused(Option<u64>),
    Closed,
    Reset,
    /// The connection ends after so many bytes.
    Cut(usize),
    /// Only so many bytes, with their number as length.
    Truncated(usize),
    /// Silence after so many bytes.
    Stalled(usize),
    Silent,
    Dripping,
    Encoded(Encoding),
    Endless,
    Odd(Oddity),
}

/// A body that isn't what is documented.
#[derive(Debug, Clone, Copy)]
enum Oddity {
    Empty,
    Blank,
    Page,
    Text,
    Null,
    NoData,
    NoRows,
    RowsInAnObject,
    NullRow,
    NumberForAnId,
    EmptyId,
    RowsTwiceTheKey,
    CountForAList,
    MoreWithoutCursor,
    SameCursorForEver,
    CursorIsANumber,
    Trailing,
    ByteOrderMark,
    Latin1,
    Deep,
    ErrorLabelled200,
}

/// Keys of rows.
const KEYS: [&str; 5] = ["members", "roles", "directoryGroups", "teams", "tokens"];

/// Lists that belong to something.
pub(super) const BELOW: [Endpoint; 6] = [
    Endpoint::RoleMembers,
    Endpoint::GroupMembers,
    Endpoint::TeamMembers,
    Endpoint::TeamRoles,
    Endpoint::TeamRoleMembers,
    Endpoint::TeamTokens,
];

/// Lists that may have later pages, which a fault refuses.
pub(super) fn begun_anew() -> Vec<Endpoint> {
    [Endpoint::Members].into_iter().chain(BELOW).collect()
}

/// Whether a client that gives up after some time is told to.
pub(super) const IMPATIENT: u64 = 2;

impl Fault {
    /// Any fault of a server with these `options`; one that says nothing only for a client that is
    /// `impatient`.
    pub(super) fn any(
        draw: &mut Draw,
        organization: &Organization,
        options: &Options,
        impatient: bool,
    ) -> Self {
        let endpoints = [
            Endpoint::Auth,
            Endpoint::Members,
            Endpoint::Roles,
            Endpoint::Groups,
            Endpoint::RoleMembers,
            Endpoint::GroupMembers,
            Endpoint::Teams,
            Endpoint::TeamMembers,
            Endpoint::TeamRoles,
            Endpoint::TeamRoleMembers,
            Endpoint::Tokens,
            Endpoint::TeamTokens,
        ];
        let kind = Kind::any(draw, impatient);
        let endpoint = match draw.one(&endpoints) {
            // The others may have one page only.
            _ if matches!(kind, Kind::Expired(..)) => draw.one(&begun_anew()),
            // Nobody could tell it from an organization without Directory Sync.
            Endpoint::Groups
                if matches!(kind, Kind::Status(400..500)) && !stays_linked(organization) =>
            {
                Endpoint::Members
            }
            endpoint => endpoint,
        };
        let kind = match kind {
            // Where a page denies the cursor that it has, this may mean that it was right.
            Kind::Status(status @ 400..500) | Kind::Expired(status @ 400..500, true)
                if !matches!(options.word_of(endpoint), Word::Kept | Word::WithoutCursor) =>
            {
                if matches!(kind, Kind::Expired(..)) {
                    Kind::Expired(status, false)
                } else {
                    Kind::Gateway(status)
                }
            }
            kind => kind,
        };
        let teams = &organization.teams;
        let ids: Vec<String> = match endpoint {
            Endpoint::RoleMembers => organization.roles.iter().map(|it| it.id.clone()).collect(),
            Endpoint::GroupMembers => organization.groups.iter().map(|it| it.id.clone()).collect(),
            Endpoint::TeamMembers | Endpoint::TeamRoles | Endpoint::TeamTokens => {
                teams.iter().map(|team| team.id.clone()).collect()
            }
            Endpoint::TeamRoleMembers => teams
                .iter()
                .flat_map(|team| team.roles.iter().map(|it| format!("{}/{}", team.id, it.id)))
                .collect(),
            _ => Vec::new(),
        };
        let of = (draw.percent(40) && !ids.is_empty()).then(|| draw.one(&ids));
        let times = match kind {
            // A list is begun anew three times; what fails for long has used up five tries.
            Kind::Expired(500.., _) => 5 * draw.number(1..=3),
            Kind::Expired(..) => draw.number(1..=3),
            _ if draw.percent(15) => usize::MAX,
            _ => draw.number(1..=2),
        };
        Self { kind, endpoint, of, after: draw.magnitude(8) - 1, times }
    }

    /// The kind's name.
    pub(super) fn name(&self) -> String {
        let name = format!("{:?}", self.kind);
        match self.kind {
            Kind::Cut(_) | Kind::Truncated(_) | Kind::Stalled(_) | Kind::Refused(_) => {
                name.split('(').next().unwrap().to_owned()
            }
            _ => name,
        }
    }

    /// How often it has a list of `endpoint` begun anew, at most.
    pub(super) fn new_beginnings(&self, endpoint: Endpoint) -> usize {
        match self.kind {
            Kind::Expired(..) if self.endpoint != endpoint => 0,
            // After five tries.
            Kind::Expired(500.., _) => self.times / 5,
            Kind::Expired(..) => self.times,
            _ => 0,
        }
    }

    /// How often it is met at most, if trying again helps.
    pub(super) fn passes_after(&self) -> Option<usize> {
        let passes = match self.kind {
            Kind::Status(status) | Kind::Gateway(status) => matches!(status, 408 | 429 | 500..),
            // Others may use up the tries as well.
            Kind::Expired(..) => return Some(2),
            Kind::Refused(_)
            | Kind::Closed
            | Kind::Reset
            | Kind::Cut(_)
            | Kind::Truncated(_)
            | Kind::Stalled(_)
            | Kind::Silent
            | Kind::Dripping
            | Kind::Odd(Oddity::Empty | Oddity::Blank) => true,
            Kind::Encoded(_) | Kind::Endless | Kind::Odd(_) => false,
        };
        passes.then_some(self.times)
    }

    /// The exit codes that it explains.
    pub(super) fn codes(&self) -> &'static [i32] {
        match self.kind {
            Kind::Status(401) | Kind::Gateway(401) => {
                &[exit_code::PERMISSION_DENIED, exit_code::UNAUTHENTICATED]
            }
            Kind::Status(403) | Kind::Gateway(403) | Kind::Expired(403, _) => {
                &[exit_code::PERMISSION_DENIED]
            }
            Kind::Status(408) | Kind::Gateway(408) | Kind::Stalled(_) | Kind::Silent => {
                &[exit_code::DEADLINE_EXCEEDED]
            }
            Kind::Status(429) | Kind::Gateway(429) | Kind::Refused(_) => {
                &[exit_code::RESOURCE_EXHAUSTED]
            }
            Kind::Status(500..)
            | Kind::Gateway(500..)
            | Kind::Expired(500.., _)
            | Kind::Closed
            | Kind::Reset
            | Kind::Cut(_) => &[exit_code::UNAVAILABLE],
            // Twenty pieces, in time.
            Kind::Dripping => &[],
            Kind::Expired(..)
            | Kind::Status(_)
            | Kind::Gateway(_)
            | Kind::Truncated(_)
            | Kind::Odd(_) => &[exit_code::UNKNOWN],
            // Nothing that reads gzip can decode it, or it is no JSON.
            Kind::Encoded(_) | Kind::Endless => &[exit_code::UNKNOWN, exit_code::UNAVAILABLE],
        }
    }

    /// Whether it is one of this endpoint's answers.
    pub(super) fn is_of(&self, endpoint: Endpoint) -> bool {
        self.endpoint == endpoint
    }

    pub(super) fn rule(&self) -> Rule {
        let action = self.kind.action();
        let rule = Rule::every(self.endpoint, action).after(self.after).times(self.times);
        let rule = match self.kind {
            Kind::Expired(..) => rule.of_later_pages(),
            _ => rule,
        };
        match &self.of {
            Some(id) => rule.of(id),
            None => rule,
        }
    }
}

impl Kind {
    fn any(draw: &mut Draw, impatient: bool) -> Self {
        let statuses = [
            201, 204, 301, 302, 304, 400, 401, 403, 404, 404, 404, 408, 409, 410, 418, 422, 429,
            500, 501, 502, 503, 504, 520,
        ];
        match draw.number(0..=34) {
            0..=5 => Self::Status(draw.one(&statuses)),
            6..=8 => Self::Gateway(draw.one(&[400, 401, 403, 404, 429, 500, 502, 503, 504])),
            9 => Self::Refused(draw.one(&[None, Some(0), Some(1)])),
            10 => Self::Closed,
            11 => Self::Reset,
            12 | 13 => Self::Cut(draw.magnitude(4_000) - 1),
            14 | 15 => Self::Truncated(draw.magnitude(4_000) - 1),
            16 if impatient => Self::Stalled(draw.magnitude(4_000) - 1),
            17 if impatient => Self::Silent,
            18 => Self::Dripping,
            19 => Self::Encoded(draw.one(&[Encoding::Deflate, Encoding::Brotli])),
            20 if draw.percent(20) => Self::Endless,
            30.. => {
                let statuses = [400, 403, 404, 409, 410, 418, 422, 500, 502];
                Self::Expired(draw.one(&statuses), draw.percent(50))
            }
            _ => Self::Odd(Oddity::any(draw)),
        }
    }

    fn action(self) -> Action {
        let page = "<!doctype html><title>Bad gateway</title><h1>Try again later</h1>";
        let error = r#"{"error":{"status":0,"message":"no","id":"nf-chaos"}}"#;
        let html = || vec![("content-type".to_owned(), "text/html".to_owned())];
        match self {
            Self::Status(status @ (301 | 302)) => Action::Respond {
                status,
                headers: vec![("location".to_owned(), "http://127.0.0.1:1/v1".to_owned())],
                body: Vec::new(),
            },
            Self::Status(status) | Self::Expired(status, true) => Action::json(status, error),
            Self::Expired(status, false) => Action::json(status, ""),
            Self::Gateway(status) => {
                Action::Respond { status, headers: html(), body: page.as_bytes().to_vec() }
            }
            Self::Refused(seconds) => Action::Refuse {
                headers: seconds
                    .map(|seconds| ("retry-after".to_owned(), seconds.to_string()))
                    .into_iter()
                    .collect(),
                wait: Duration::ZERO,
            },
            Self::Closed => Action::deliver(Delivery::Closed),
            Self::Reset => Action::deliver(Delivery::Reset),
            Self::Cut(bytes) => Action::deliver(Delivery::Cut(bytes)),
            Self::Truncated(bytes) => Action::alter(move |answer| {
                // Without its last bytes at least: the whole would be no fault.
                let bytes = bytes.min(answer.body.len().saturating_sub(2));
                answer.body.truncate(bytes);
            }),
            Self::Stalled(bytes) => Action::deliver(Delivery::Stall(bytes)),
            Self::Silent => Action::deliver(Delivery::Silence),
            Self::Dripping => Action::alter(|answer| {
                let bytes = answer.body.len() / 20 + 1;
                answer.delivery = Delivery::Drip { bytes, every: Duration::from_millis(5) };
            }),
            Self::Encoded(encoding) => Action::alter(move |answer| answer.encode(encoding)),
            Self::Endless => Action::deliver(Delivery::Endless),
            Self::Odd(oddity) => Action::alter(move |answer| {
                answer.body = oddity.of(&answer.body);
            }),
        }
    }
}

impl Oddity {
    fn any(draw: &mut Draw) -> Self {
        draw.one(&[
            Self::Empty,
            Self::Blank,
            Self::Page,
            Self::Text,
            Self::Null,
            Self::NoData,
            Self::NoRows,
            Self::RowsInAnObject,
            Self::NullRow,
            Self::NumberForAnId,
            Self::EmptyId,
            Self::RowsTwiceTheKey,
            Self::CountForAList,
            Self::MoreWithoutCursor,
            Self::SameCursorForEver,
            Self::CursorIsANumber,
            Self::Trailing,
            Self::ByteOrderMark,
            Self::Latin1,
            Self::Deep,
            Self::ErrorLabelled200,
        ])
    }

    /// The body instead of `body`.
    fn of(self, body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(body).into_owned();
        let altered = |alter: &dyn Fn(&mut Value, &str)| {
            let mut value: Value = serde_json::from_slice(body).unwrap_or_default();
            let key = KEYS.into_iter().find(|key| value["data"].get(key).is_some());
            if let Some(key) = key {
                alter(&mut value, key);
            }
            value.to_string()
        };
        let odd = match self {
            Self::Empty => String::new(),
            Self::Blank => " \r\n ".to_owned(),
            Self::Page => "<html><body>It works!</body></html>".to_owned(),
            Self::Text => "upstream connect error".to_owned(),
            Self::Null => "null".to_owned(),
            Self::NoData => r#"{"data":null,"pagination":{"hasNextPage":false}}"#.to_owned(),
            Self::NoRows => r#"{"data":{},"pagination":{"hasNextPage":false}}"#.to_owned(),
            Self::RowsInAnObject => altered(&|value, key| value["data"][key] = json!({})),
            Self::NullRow => altered(&|value, key| {
                value["data"][key].as_array_mut().unwrap().push(Value::Null);
            }),
            Self::NumberForAnId => altered(&|value, key| {
                value["data"][key].as_array_mut().unwrap().push(json!({"id": 7}));
            }),
            Self::EmptyId => altered(&|value, key| {
                value["data"][key].as_array_mut().unwrap().push(json!({"id": ""}));
            }),
            Self::RowsTwiceTheKey => {
                let key = KEYS
                    .into_iter()
                    .find(|key| text.contains(&format!("\"{key}\":[")))
                    .unwrap_or("members");
                text.replacen("\"data\":{", &format!("\"data\":{{\"{key}\":[],"), 1)
            }
            Self::CountForAList => altered(&|value, key| value["data"][key] = json!(3)),
            Self::MoreWithoutCursor => altered(&|value, _| {
                value["pagination"] = json!({"hasNextPage": true});
            }),
            Self::SameCursorForEver => altered(&|value, _| {
                value["pagination"] = json!({"hasNextPage": true, "cursor": "again"});
            }),
            Self::CursorIsANumber => altered(&|value, _| {
                value["pagination"] = json!({"hasNextPage": true, "cursor": 7});
            }),
            Self::Trailing => format!("{text}{text}"),
            Self::ByteOrderMark => format!("\u{feff}{text}"),
            Self::Latin1 => return text.bytes().chain([b' ', 0xe9, b'\n']).collect(),
            Self::Deep => format!("{{\"data\":{}{}}}", "[".repeat(3_000), "]".repeat(3_000)),
            Self::ErrorLabelled200 => r#"{"error":{"status":500,"message":"no"}}"#.to_owned(),
        };
        odd.into_bytes()
    }
}
