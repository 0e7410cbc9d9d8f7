//! Who may read a new file: whoever could read the one that it replaces, and nobody else.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use access_list::AccessControlList;

/// Gives the file `new`, which is its owner's alone, group and mode of the file `old`, if that is
/// there. Where the group can't be kept its rights go; where less is certain, all but the owner's.
pub(super) fn preserve(new: &Path, old: &Path) -> io::Result<()> {
    const OWNER: u32 = 0o700;
    let found = match fs::metadata(old) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found?,
    };
    let file = File::open(new)?;
    let is_same_group = file.metadata()?.gid() == found.gid();
    let group = if is_same_group { Ok(()) } else { fchown(&file, None, Some(found.gid())) };
    let mode = found.mode() & 0o777;
    let kept = match (&group, access_list::preserve(&file, old)) {
        (Ok(()), AccessControlList::None | AccessControlList::Kept) => mode,
        // Who belonged to the group counts among the others from now on.
        (Err(_), AccessControlList::None) => mode & (OWNER | (mode >> 3 & 0o007)),
        (Err(_), AccessControlList::Kept) | (_, AccessControlList::Lost) => mode & OWNER,
    };
    file.set_permissions(fs::Permissions::from_mode(kept))?;
    if let Err(error) = group {
        tracing::warn!(
            file = %old.display(),
            group = found.gid(),
            %error,
            "the group of the file can't be kept, so that it may not read the new one"
        );
    }
    Ok(())
}

/// The list by which a file lets other users and groups in than its own. Where a file has one,
/// the group's part of its mode is the most that anybody of the list may do.
mod access_list {
    use std::fs::File;
    use std::path::Path;

    /// What has become of a file's list.
    pub(super) enum AccessControlList {
        /// It has none, and the new file has none either.
        None,
        /// The new file has the same.
        #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "see below"))]
        Kept,
        /// Nobody knows.
        #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "see below"))]
        Lost,
    }

    /// Gives `new` the list of `old`, and none if that has none: a directory may have one for
    /// whatever is made in it.
    #[cfg(target_os = "linux")]
    pub(super) fn preserve(new: &File, old: &Path) -> AccessControlList {
        use rustix::fs::{XattrFlags, fremovexattr, fsetxattr, getxattr};
        use rustix::io::Errno;
        const NAME: &str = "system.posix_acl_access";
        const LONGEST: usize = 64 << 10;
        // There is none, or the file system has no such lists.
        let is_none = |errno| matches!(errno, Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS);
        let mut list = vec![0; LONGEST];
        match getxattr(old, NAME, list.as_mut_slice()) {
            Ok(length) => match fsetxattr(new, NAME, &list[..length], XattrFlags::empty()) {
                Ok(()) => AccessControlList::Kept,
                Err(_) => AccessControlList::Lost,
            },
            Err(errno) if is_none(errno) => match fremovexattr(new, NAME) {
                Err(errno) if !is_none(errno) => AccessControlList::Lost,
                _ => AccessControlList::None,
            },
            Err(_) => AccessControlList::Lost,
        }
    }

    /// Elsewhere such lists have no part in the mode.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn preserve(_new: &File, _old: &Path) -> AccessControlList {
        AccessControlList::None
    }
}
