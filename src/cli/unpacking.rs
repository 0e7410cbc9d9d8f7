//! Where commands unpack sync files.

use crate::c1z::ScratchDirectory;
use crate::report::model;

use super::exit::Failure;
use super::signal::Leftovers;

/// A directory for what is unpacked, of which a signal leaves nothing; nor of what is added.
pub(super) fn scratch_directory() -> Result<(ScratchDirectory, Leftovers), Failure> {
    let scratch = ScratchDirectory::new().map_err(model::Error::File)?;
    let leftovers = Leftovers::watch().map_err(Failure::Runtime)?;
    leftovers.add(scratch.path());
    Ok((scratch, leftovers))
}
