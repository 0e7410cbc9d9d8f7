//! The page as a whole.

use std::io::Write;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::c1z::{OpenSync, Organization};
use crate::digest::{hex, sha256};
use crate::report::access::AccessReport;
use crate::report::access::Error;
use crate::report::model::{ChangeList, SyncEnd, SyncLabel};

use super::bar_chart::{self, BarChart};
use super::card::{self, Deck};
use super::changes::PageChanges;
use super::finding::{self, Finding};
use super::flow::FlowDiagram;
use super::limits::{AT_ONCE, LARGE, WIDE_COLUMNS};
use super::matrix::{Matrix, MatrixCell};
use super::rules::PageRules;
use super::subject::Subjects;

/// The program that makes the page.
const MAKER: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// What stands on the page besides the access.
#[derive(Debug, Default)]
pub struct HtmlOptions {
    /// The title; the organization's name if there is none, or else the file's.
    pub title: Option<String>,
    /// What changed since the file's sync before, if there is one.
    pub changes: Option<ChangeList>,
    /// What no sync of the connector that writes the page tells.
    pub not_read: Option<&'static str>,
    /// Rules, and what breaks them, if it is judged by any.
    pub rules: Option<PageRules>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct PageTemplate<'page> {
    maker: &'static str,
    version: &'static str,
    not_read: Option<&'static str>,
    title: &'page str,
    policy: String,
    style: &'page str,
    script: &'page str,
    sync: SyncLabel,
    ended_at: String,
    /// What part of everything the sync covers, if not all.
    reduced_to: Option<&'page str>,
    /// Whose access it tells of, if the file says so.
    organization: Option<&'page str>,
    file: FileFingerprint,
    /// What the page is limited to, in words.
    only: Vec<String>,
    /// Whether it is all that the file has, and not what somebody asked for.
    is_everything: bool,
    counts: Vec<(usize, &'static str)>,
    left_out: Vec<String>,
    findings: Vec<Finding>,
    holders: BarChart,
    logins: BarChart,
    flow: FlowDiagram,
    matrix: Matrix,
    decks: [Deck; 4],
    changes: Option<PageChanges<'page>>,
    rules: Option<&'page PageRules>,
}

impl PageTemplate<'_> {
    /// How many people its script shows at once.
    fn at_once(&self) -> usize {
        self.matrix.rows.len().clamp(1, AT_ONCE)
    }

    /// Whether there are so many roles that a cell has room for a letter only.
    fn is_narrow(&self) -> bool {
        self.matrix.columns.len() > WIDE_COLUMNS
    }

    /// Whether the browser had better lay out only what is seen.
    fn is_large(&self) -> bool {
        self.matrix.rows.len() > LARGE
    }
}

/// Writes the access as a page.
pub fn page(
    access: &AccessReport,
    cover: &HtmlOptions,
    mut output: impl Write,
) -> Result<(), Error> {
    let sync = access.sync().sync();
    let path = &sync.file;
    let end = SyncEnd::parse(&sync.ended_at, sync.is_utc);
    let subjects = Subjects::read(access)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let organization = sync.organization.as_ref().map(Organization::name);
    let title = cover.title.as_deref().or(organization).unwrap_or(&name);
    let matrix = Matrix::new(&subjects);
    let page = PageTemplate {
        maker: MAKER,
        version: VERSION,
        not_read: cover.not_read,
        title,
        policy: policy(),
        style: STYLE,
        script: SCRIPT,
        ended_at: access.label().ended(),
        reduced_to: sync.reduced_to.as_deref(),
        organization,
        sync: access.label(),
        file: FileFingerprint::of(access.sync())?,
        only: subjects.only(access),
        is_everything: subjects.is_everything,
        counts: subjects.counts(),
        left_out: subjects.left_out(),
        findings: finding::all(access, &subjects)?,
        holders: bar_chart::holders(&subjects),
        logins: bar_chart::logins(&subjects, end.map(|end| end.time)),
        flow: FlowDiagram::new(&subjects),
        decks: card::decks(&subjects),
        matrix,
        changes: cover.changes.as_ref().map(PageChanges::new),
        rules: cover.rules.as_ref(),
    };
    page.write_into(&mut output)?;
    output.flush()?;
    Ok(())
}

/// What the page may do: be styled and run by what stands in it, and nothing else.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(sha256([text.as_bytes()]));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    )
}

/// Which file it was made from.
struct FileFingerprint {
    name: String,
    size: String,
    sha256: String,
}

impl FileFingerprint {
    fn of(sync: &OpenSync) -> Result<Self, Error> {
        let (sha256, size) = sync.fingerprint()?;
        Ok(Self {
            name: sync.sync().file.display().to_string(),
            size: format!("{} bytes", grouped(size)),
            sha256: hex(&sha256),
        })
    }
}

/// A number with a blank between thousands, as everybody reads it.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev();
    groups.map(String::from_utf8_lossy).collect::<Vec<_>>().join("\u{202f}")
}
