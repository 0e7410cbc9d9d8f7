//! Certificates that the environment names instead of the system's. The TLS library takes what
//! it finds there: nothing at all would be a minute of timeouts, and what is no file would be
//! waited for.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::values::Values;

/// The largest file that certificates are read from, in MiB. All public authorities together
/// take a quarter of one.
const LARGEST_MIB: u64 = 16;

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
    let unreadable = |error: std::io::Error| format!("which can't be read: {error}");
    let found = fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err("which is no regular file".to_owned());
    }
    let limit = LARGEST_MIB << 20;
    let mut pem = Vec::new();
    let file = File::open(path).map_err(unreadable)?;
    file.take(limit + 1).read_to_end(&mut pem).map_err(unreadable)?;
    if pem.len() as u64 > limit {
        return Err(format!("which is larger than {LARGEST_MIB} MiB"));
    }
    Ok(pem)
}

fn usable(pem: &[u8]) -> Result<(), String> {
    let mut certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    let is_usable = certificates.any(|it| RootCertStore::empty().add(it).is_ok());
    is_usable.then_some(()).ok_or_else(|| "in which is no usable certificate (in PEM)".to_owned())
}
