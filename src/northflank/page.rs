//! A page of a list, as it goes through a sync.

use super::list::{List, Rows};
use super::page_body::PageError;

/// A page of a list.
#[derive(Debug)]
pub struct Page {
    pub list: List,
    /// The rows, in the API's order.
    pub rows: Rows,
    /// Whether the list begins with it. A list can begin anew: then nothing counts that it said
    /// before.
    pub is_first: bool,
    /// Whether the list ends with it. Until then nothing counts that it says.
    pub is_last: bool,
    /// Whether what the list belongs to is gone, and the list with it.
    pub is_parent_gone: bool,
}

impl Page {
    /// A page with these rows.
    pub fn new(list: List, rows: Rows, is_first: bool, is_last: bool) -> Self {
        Self { list, rows, is_first, is_last, is_parent_gone: false }
    }

    /// The last page of a list, or the only one, which says that what it belongs to is gone.
    pub fn of_gone_parent(list: List) -> Self {
        let rows = list.kind.no_rows();
        Self { list, rows, is_first: false, is_last: true, is_parent_gone: true }
    }

    /// The page of `list` that `body`, an answer, says.
    pub fn read(list: List, body: &[u8], is_first: bool, is_last: bool) -> Result<Self, PageError> {
        let rows = list.kind.read(body)?.rows;
        Ok(Self::new(list, rows, is_first, is_last))
    }
}
