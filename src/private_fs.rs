//! Files and directories that are this user's alone: what is unfinished tells who has access to
//! what, and may stand where anybody may write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Once;

/// Lets a file that is made be read by its owner only, whatever the umask.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// A private file, emptied if it stood there.
pub(crate) fn private_file(path: &Path) -> io::Result<File> {
    let file = private(OpenOptions::new().write(true).create(true).truncate(true)).open(path)?;
    make_private(&file)?;
    Ok(file)
}

/// Takes from others what they may do with a file that stood there already.
#[cfg(unix)]
pub(crate) fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        // Some file systems have the same permissions for all that they hold: then it is the
        // directory's that count.
        let _ = file.set_permissions(fs::Permissions::from_mode(0o600));
    }
    Ok(())
}

/// Here files are their directory's.
#[cfg(not(unix))]
pub(crate) fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Opens what must be a regular file, to be read or written: a pipe would be waited for, and a
/// device may have no end.
pub(crate) fn open_regular(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    let check = |found: &fs::Metadata| {
        if found.is_file() { Ok(()) } else { Err(io::Error::other("it is no regular file")) }
    };
    match fs::metadata(path) {
        Ok(found) => check(&found)?,
        // It may be for the caller to make.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    #[cfg(unix)]
    {
        let flags = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags);
    }
    let file = options.open(path)?;
    // Another thing may have taken its place.
    check(&file.metadata()?)?;
    Ok(file)
}

/// What a regular file holds, if that is no more than so many MiB.
pub(crate) fn read_regular(path: &Path, most_mib: u64) -> io::Result<Vec<u8>> {
    let most = most_mib << 20;
    let mut content = Vec::new();
    let file = open_regular(path, OpenOptions::new().read(true))?;
    file.take(most + 1).read_to_end(&mut content)?;
    if content.len() as u64 > most {
        return Err(io::Error::other(format!("it is larger than {most_mib} MiB")));
    }
    Ok(content)
}

/// Whether users that are neither the file's owner nor in its group may read it.
#[cfg(unix)]
pub(crate) fn may_be_read_by_others(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    fs::metadata(path).is_ok_and(|found| found.permissions().mode() & 0o004 != 0)
}

/// Permissions are of another kind here.
#[cfg(not(unix))]
pub(crate) fn may_be_read_by_others(_path: &Path) -> bool {
    false
}

/// What was made of a directory that is to be this user's alone.
#[derive(Debug)]
pub(crate) enum PrivateDirectory {
    /// It is, whether it stood there or not.
    Private,
    /// It stood there and isn't ours, for this reason. It is left as it is.
    NotOurs(&'static str),
    /// It stood there, and we may not write to it.
    Closed(io::Error),
    /// It stood there and is ours, but others may do this with it, and that can't be changed.
    Shared(ForeignAccess, io::Error),
}

/// What other users may do with a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ForeignAccess {
    /// Look into it.
    Read,
    /// Put their files there.
    Write,
}

/// Makes a directory that only its owner may use; nothing may stand there.
pub(crate) fn new_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a directory that only its owner may use, or sees to one that stands there; its parent
/// must exist. It must be a directory itself and not by a link, and our own user's: in a place
/// that many may write to, anybody can have put it there.
pub(crate) fn private_directory(path: &Path) -> io::Result<PrivateDirectory> {
    match new_directory(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made.map(|()| PrivateDirectory::Private),
    }
    let found = fs::symlink_metadata(path)?;
    if found.is_symlink() {
        return Ok(PrivateDirectory::NotOurs("it is a symbolic link"));
    }
    if !found.is_dir() {
        return Ok(PrivateDirectory::NotOurs("it is no directory"));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let own = match own_user_in(path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Ok(PrivateDirectory::Closed(error));
            }
            own => own?,
        };
        if found.uid() != own {
            return Ok(PrivateDirectory::NotOurs("it is another user's"));
        }
        if found.mode() & 0o077 != 0
            // Some file systems have the same permissions for all that they hold.
            && let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o700))
        {
            let others_may =
                if found.mode() & 0o022 == 0 { ForeignAccess::Read } else { ForeignAccess::Write };
            return Ok(PrivateDirectory::Shared(others_may, error));
        }
    }
    Ok(PrivateDirectory::Private)
}

/// The number that the file system of a directory has for our own user, which can be one of its
/// own: what we make there is ours. Not made without a name, which not every file system can.
#[cfg(unix)]
fn own_user_in(directory: &Path) -> io::Result<u32> {
    use std::os::unix::fs::MetadataExt;
    let make = |path: &Path| private(OpenOptions::new().write(true).create_new(true)).open(path);
    let probe = tempfile::Builder::new().prefix(PROBE).make_in(directory, make)?;
    Ok(probe.as_file().metadata()?.uid())
}

/// How the names begin of files that are made only to see whose they are.
const PROBE: &str = ".probe-";

/// How file systems name what was removed while somebody had it open, until that one closes it;
/// or for good, where the machine went down: clients of NFS, FUSE, SMB and AFP. A number follows.
const HIDDEN: [&str; 5] = [".nfs", ".fuse_hidden", ".smbdelete", ".smb", ".afpDeleted"];

/// Whether a file was to be gone, and is left of a process or a machine that went down first.
pub(crate) fn is_remnant(file: &fs::DirEntry) -> bool {
    let name = file.file_name();
    let Some(name) = name.to_str() else {
        return false;
    };
    let is_number = |it: &str| it.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'.');
    let is_hidden = |start: &&str| {
        name.strip_prefix(*start).is_some_and(|number| !number.is_empty() && is_number(number))
    };
    // What a probe was called before it had a name of its own.
    let is_former_probe = || {
        let letters = name.strip_prefix(".tmp").filter(|it| it.len() == 6);
        letters.is_some_and(|it| it.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            && file.metadata().is_ok_and(|found| found.len() == 0)
    };
    name.starts_with(PROBE) || HIDDEN.iter().any(is_hidden) || is_former_probe()
}

/// What came of asking for a lock.
#[derive(Debug)]
pub(crate) enum LockOutcome {
    /// It is ours, until the process ends or unlocks it.
    Held(File),
    /// Another process has it, or what stands there is no file.
    Taken,
    /// The file system gives none.
    Refused(io::Error),
}

/// Asks for the lock at `path`, which is made if there is none. It is never followed, waited for
/// or written to.
pub(crate) fn lock(path: &Path) -> io::Result<LockOutcome> {
    if fs::symlink_metadata(path).is_ok_and(|found| !found.is_file()) {
        return Ok(LockOutcome::Taken);
    }
    let mut options = OpenOptions::new();
    private(options.write(true).create(true).truncate(false));
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags);
    }
    let lock = options.open(path)?;
    Ok(match lock.try_lock() {
        Ok(()) if is_at(&lock, path) => LockOutcome::Held(lock),
        // A process that ended between our opening it and locking it has removed it.
        Ok(()) | Err(fs::TryLockError::WouldBlock) => LockOutcome::Taken,
        Err(fs::TryLockError::Error(error)) => LockOutcome::Refused(error),
    })
}

/// Whether `file` is what stands at `path`, not what stood there before.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |found: fs::Metadata| (found.dev(), found.ino());
    let there = fs::symlink_metadata(path).map(place).ok();
    there.is_some() && there == file.metadata().map(place).ok()
}

/// An open file can't be removed here.
#[cfg(not(unix))]
pub(crate) fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

/// What came of making a file's content safe. A file system that has no way to, as some that are
/// mounted over the network, is as safe as it is: it is told once, and no reason to end.
pub(crate) fn unless_unsupported(outcome: io::Result<()>) -> io::Result<()> {
    static TOLD: Once = Once::new();
    match outcome {
        Err(error) if is_unsupported(&error) => {
            TOLD.call_once(|| {
                tracing::warn!(
                    %error,
                    "the file system doesn't say when a file is safe on disk: it may not \
                     outlive the loss of power"
                );
            });
            Ok(())
        }
        outcome => outcome,
    }
}

/// Whether an error says that a file system can't do something, rather than that it failed to.
fn is_unsupported(error: &io::Error) -> bool {
    #[cfg(unix)]
    let is_unknown = error.raw_os_error() == Some(rustix::io::Errno::NOTTY.raw_os_error());
    #[cfg(not(unix))]
    let is_unknown = false;
    is_unknown || matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// Whether an error says that there is no more room, or that no more may be used.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}

/// Whether an error says that a disk fails, or what is mounted in its place: no fault of the
/// file's.
#[cfg(unix)]
pub(crate) fn is_failing(error: &io::Error) -> bool {
    use rustix::io::Errno;
    const FAILING: [Errno; 8] = [
        Errno::IO,
        Errno::NXIO,
        Errno::NODEV,
        Errno::STALE,
        Errno::TIMEDOUT,
        Errno::HOSTDOWN,
        Errno::HOSTUNREACH,
        Errno::NOTCONN,
    ];
    #[cfg(target_os = "linux")]
    const OF_LINUX: [Errno; 4] = [Errno::REMOTEIO, Errno::UCLEAN, Errno::BADMSG, Errno::NOMEDIUM];
    #[cfg(not(target_os = "linux"))]
    const OF_LINUX: [Errno; 0] = [];
    let mut failing = FAILING.into_iter().chain(OF_LINUX);
    failing.any(|errno| error.raw_os_error() == Some(errno.raw_os_error()))
}

/// Here such errors can't be told from others.
#[cfg(not(unix))]
pub(crate) fn is_failing(_error: &io::Error) -> bool {
    false
}

/// Makes what was made, renamed or removed in a directory safe. Not every file system can, nor
/// says so in the same words: no caller may end for it.
#[cfg(unix)]
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Directories can't be opened for this here; it is as durable as the system makes it.
#[cfg(not(unix))]
pub(crate) fn sync_directory(_path: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{
        LockOutcome, PrivateDirectory, is_at, is_remnant, lock, open_regular, private_directory,
        private_file, read_regular,
    };

    #[test]
    fn a_directory_of_another_user_or_at_the_end_of_a_link_is_not_ours() {
        let room = tempfile::tempdir().unwrap();
        let at = |name: &str| room.path().join(name);
        fs::create_dir(at("elsewhere")).unwrap();
        std::os::unix::fs::symlink(at("elsewhere"), at("link")).unwrap();
        fs::write(at("file"), "").unwrap();
        for name in ["link", "file"] {
            let found = private_directory(&at(name)).unwrap();
            assert!(matches!(found, PrivateDirectory::NotOurs(_)), "{name}: {found:?}");
        }
        // Only root can give a directory away; others know one that is not theirs.
        fs::create_dir(at("others")).unwrap();
        let is_given = std::os::unix::fs::chown(at("others"), Some(12_345), None).is_ok();
        let others = if is_given { at("others") } else { Path::new("/").to_owned() };
        let found = private_directory(&others).unwrap();
        assert!(
            matches!(found, PrivateDirectory::NotOurs(_) | PrivateDirectory::Closed(_)),
            "{found:?}"
        );
    }

    #[test]
    fn a_lock_is_held_once_and_only_at_its_place() {
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("lock");
        let LockOutcome::Held(held) = lock(&path).unwrap() else { panic!("it is taken") };
        let is_taken = |path: &Path| matches!(lock(path).unwrap(), LockOutcome::Taken);
        assert!(is_taken(&path));
        assert!(is_at(&held, &path));
        fs::remove_file(&path).unwrap();
        assert!(!is_at(&held, &path), "nothing stands there");
        fs::write(&path, "").unwrap();
        assert!(!is_at(&held, &path), "another one stands there");
        std::os::unix::fs::symlink(&path, room.path().join("link")).unwrap();
        assert!(is_taken(&room.path().join("link")));
    }

    #[test]
    fn what_was_to_be_gone_is_told_from_what_is_somebodys() {
        let room = tempfile::tempdir().unwrap();
        let gone = [
            ".probe-x7Qa1z",
            ".tmpAb12Cd",
            ".nfs00000000012a4e3f00000b1c",
            ".nfs.2008.1a2b",
            ".fuse_hidden0000a4e300000001",
            ".smbdeleteAAA0004.4",
            ".smb1f",
            ".afpDeleted4C1F",
        ];
        let somebodys =
            [".nfs", ".nfs.conf", ".nfs-notes", ".tmpAb12C", ".tmpfull00", ".smb.conf", "probe-1"];
        for name in gone.iter().chain(&somebodys) {
            fs::write(room.path().join(name), if *name == ".tmpfull00" { "1" } else { "" })
                .unwrap();
        }
        let entries = fs::read_dir(room.path()).unwrap().map(Result::unwrap);
        let mut found: Vec<_> = entries.filter(is_remnant).map(|it| it.file_name()).collect();
        let mut gone = gone.map(std::ffi::OsString::from);
        found.sort();
        gone.sort();
        assert_eq!(found, gone);
    }

    #[test]
    fn a_file_that_stood_there_for_all_to_read_is_private_from_now_on() {
        use std::os::unix::fs::PermissionsExt;
        let room = tempfile::tempdir().unwrap();
        let path = room.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        private_file(&path).unwrap();
        let found = fs::metadata(&path).unwrap();
        assert_eq!((found.permissions().mode() & 0o777, found.len()), (0o600, 0));
    }

    #[test]
    fn nothing_but_a_regular_file_is_opened_and_no_more_of_it_read_than_is_wanted() {
        let room = tempfile::tempdir().unwrap();
        let (pipe, file) = (room.path().join("pipe"), room.path().join("file"));
        rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).unwrap();
        for path in [&pipe, Path::new("/dev/zero"), room.path()] {
            for options in [fs::OpenOptions::new().read(true), fs::OpenOptions::new().append(true)]
            {
                let error = open_regular(path, options).unwrap_err().to_string();
                assert_eq!(error, "it is no regular file");
            }
        }
        assert!(read_regular(&file, 1).is_err());
        open_regular(&file, fs::OpenOptions::new().append(true).create(true)).unwrap();
        fs::write(&file, vec![b'x'; 1 << 20]).unwrap();
        assert_eq!(read_regular(&file, 1).unwrap().len(), 1 << 20);
        fs::write(&file, vec![b'x'; (1 << 20) + 1]).unwrap();
        let error = read_regular(&file, 1).unwrap_err().to_string();
        assert_eq!(error, "it is larger than 1 MiB");
    }
}
