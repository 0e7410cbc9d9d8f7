//! Certificates that the environment names instead of the system's. The TLS library takes what
//! it finds there: nothing at all would be a minute of timeouts, and what is no file would be
//! waited for.

use std::fs;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::disk;

use super::values::Values;

/// The largest file that certificates are read from, in MiB. All public authorities together
/// take a quarter of one.
pub(super) const LARGEST_MIB: u64 = 16;

/// Notes variables that name no usable certificate.
pub(super) fn check(values: &mut Values<'_>) {
    let file = values.raw("SSL_CERT_FILE");
    let directories = values.raw("SSL_CERT_DIR");
    if let Some(file) = &file {
        let path = Path::new(file);
        if let Err(problem) = read(path).and_then(|pem| usable(&pem)) {
            values.problem(format!("SSL_CERT_FILE names {}, {problem}", path.display()));
        }
    }
    if let Some(directories) = &directories {
        let mut outcome = Err("in which is no usable certificate".to_owned());
        let paths = std::env::split_paths(directories).filter(|path| !path.as_os_str().is_empty());
        for entry in paths.filter_map(|path| fs::read_dir(path).ok()).flatten().flatten() {
            // Other things than files are passed over, here and by the library.
            if !fs::metadata(entry.path()).is_ok_and(|found| found.is_file()) {
                continue;
            }
            match read(&entry.path()) {
                Ok(pem) if outcome.is_err() => outcome = usable(&pem).or(outcome),
                Ok(_) => {}
                Err(problem) => {
                    outcome = Err(format!("with {}, {problem}", entry.path().display()));
                    break;
                }
            }
        }
        // Beside a file that serves, an empty directory does no harm.
        if let Err(problem) = outcome
            && (file.is_none() || problem.starts_with("with"))
        {
            let names = Path::new(directories).display();
            values.problem(format!("SSL_CERT_DIR names {names}, {problem}"));
        }
    }
}

/// What a file holds, if it is one and not too large.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    disk::read_regular(path, LARGEST_MIB).map_err(|error| format!("which can't be read: {error}"))
}

/// Whether there is a certificate among what a file holds that can be trusted.
pub(super) fn usable(pem: &[u8]) -> Result<(), String> {
    let mut certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    let is_usable = certificates.any(|it| RootCertStore::empty().add(it).is_ok());
    is_usable.then_some(()).ok_or_else(|| "in which is no usable certificate (in PEM)".to_owned())
}
