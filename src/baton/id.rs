//! The ids of baton's objects: plain joins with colons, without escaping.
//!
//! | object | id |
//! | --- | --- |
//! | resource | `<type>:<resource>` (the key in the file) |
//! | entitlement | `<type>:<resource>:<slug>` |
//! | grant | `<entitlement id>:<principal type>:<principal>` |

/// The longest id baton accepts, in bytes, after joining.
const LONGEST_ID: usize = 1024;

/// The longest id of a source system's object: two of them, with types, slug and colons,
/// still fit into a grant id of [`LONGEST_ID`] bytes.
const LONGEST_PART: usize = (LONGEST_ID - 64) / 2;

/// Why an id can't become part of a baton id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// Nothing would tell the object from its type.
    #[error("it is empty")]
    Empty,
    /// Baton ids are joined with colons and not escaped: `a:b` could be two things.
    #[error("it contains a colon, which would make baton ids ambiguous")]
    Colon,
    /// A control character (NUL, line feed, …) has no place in a key.
    #[error("it contains a control character")]
    Control,
    /// A path segment `.` or `..` means another path: the object can't be asked for.
    #[error("it is a path segment with a meaning of its own, so that no URL can name the object")]
    Dots,
    /// Ids of what belongs to it begin with it and a slash, those of what belongs to nothing with
    /// an `@`.
    #[error(
        "it contains a slash or begins with an @, which would make ids of what belongs to it ambiguous"
    )]
    Slash,
    /// Joined ids may have 1024 bytes.
    #[error("it has {0} bytes, more than the {LONGEST_PART} that fit into a baton id")]
    TooLong(usize),
}

/// Checks that `id` can be joined into baton ids and be told apart in them, and be asked for.
pub fn check_id(id: &str) -> Result<(), IdError> {
    if id.is_empty() {
        Err(IdError::Empty)
    } else if id.len() > LONGEST_PART {
        Err(IdError::TooLong(id.len()))
    } else if id.contains(':') {
        Err(IdError::Colon)
    } else if has_control(id) {
        Err(IdError::Control)
    } else if matches!(id, "." | "..") {
        Err(IdError::Dots)
    } else {
        Ok(())
    }
}

fn has_control(id: &str) -> bool {
    // Bytes first: a large sync checks a million ids, and hardly one isn't ASCII.
    id.bytes().any(|byte| byte.is_ascii_control())
        || !id.is_ascii() && id.chars().any(char::is_control)
}

/// A resource's key in a sync file.
pub fn resource_key(resource_type: &str, resource: &str) -> String {
    format!("{resource_type}:{resource}")
}

/// The id of the entitlement `slug` of a resource.
pub fn entitlement_id(resource_type: &str, resource: &str, slug: &str) -> String {
    format!("{resource_type}:{resource}:{slug}")
}

/// Makes the grant ids of one entitlement.
pub struct GrantId<'entitlement>(pub &'entitlement str);

impl GrantId<'_> {
    /// The id of the grant to `principal`.
    pub fn to(&self, principal_type: &str, principal: &str) -> String {
        // Not `format!`: a million of these are made in a large sync.
        let mut id =
            String::with_capacity(self.0.len() + principal_type.len() + principal.len() + 2);
        id.push_str(self.0);
        id.push(':');
        id.push_str(principal_type);
        id.push(':');
        id.push_str(principal);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::{GrantId, IdError, LONGEST_ID, LONGEST_PART, check_id, entitlement_id};

    #[test]
    fn ids_are_joined_with_colons() {
        let entitlement = entitlement_id("role", "platform-eng", "assigned");
        assert_eq!(entitlement, "role:platform-eng:assigned");
        assert_eq!(
            GrantId(&entitlement).to("user", "ada-q"),
            "role:platform-eng:assigned:user:ada-q"
        );
    }

    #[test]
    fn ids_that_would_be_ambiguous_are_refused() {
        assert_eq!(check_id(""), Err(IdError::Empty));
        assert_eq!(check_id("a:b"), Err(IdError::Colon));
        for control in ["a\nb", "a\u{7f}", "é\u{9b}"] {
            assert_eq!(check_id(control), Err(IdError::Control));
        }
        assert_eq!(check_id("zoé"), Ok(()));
        assert_eq!(check_id("."), Err(IdError::Dots));
        assert_eq!(check_id(".."), Err(IdError::Dots));
        assert_eq!(check_id("..."), Ok(()));
        assert_eq!(check_id(&"x".repeat(600)), Err(IdError::TooLong(600)));
        assert_eq!(check_id("directory_group_01HZX3M9Q2T7V5W8Y0ABCDEFGH"), Ok(()));
    }

    #[test]
    fn two_ids_of_the_greatest_length_fit_into_a_grant_id() {
        let part = "x".repeat(LONGEST_PART);
        let entitlement = entitlement_id("group", &part, "assigned");
        assert!(GrantId(&entitlement).to("group", &part).len() <= LONGEST_ID);
    }
}
