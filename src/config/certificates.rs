//! Which certificates are trusted: those that the environment names, or else the system's. The
//! TLS library would take what it finds there: nothing at all would be a minute of timeouts, and
//! what is no file would be waited for.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::private_fs;

use super::values::Values;

/// The largest file that certificates are read from, in MiB. All public authorities together
/// take a quarter of one.
pub(super) const LARGEST_MIB: u64 = 16;

/// The variables that name certificates: a file of them, and directories of such files.
const VARIABLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// What verifies servers, on every connection alike.
pub(crate) type Verifier = Arc<dyn ServerCertVerifier>;

/// The certificates that variables name, if they name any. Notes what can't be used.
pub(super) fn from_variables(values: &mut Values<'_>) -> Option<RootCertStore> {
    // An empty one counts as unset, here as elsewhere.
    let [file, directories] =
        VARIABLES.map(|name| values.raw(name).filter(|value| !value.is_empty()));
    if file.is_none() && directories.is_none() {
        return None;
    }
    let mut store = RootCertStore::empty();
    if let Some(file) = &file
        && let Err(problem) = add_file(Path::new(file), &mut store)
    {
        values.problem(format!("SSL_CERT_FILE names {}, {problem}", Path::new(file).display()));
    }
    if let Some(directories) = &directories {
        let problem = match add_directories(directories, &mut store) {
            // Beside a file that serves, an empty directory does no harm.
            Ok(0) if file.is_none() => Some("in which is no usable certificate".to_owned()),
            Ok(_) => None,
            Err(problem) => Some(problem),
        };
        if let Some(problem) = problem {
            let names = Path::new(directories).display();
            values.problem(format!("SSL_CERT_DIR names {names}, {problem}"));
        }
    }
    Some(store)
}

/// What verifies servers by these certificates, or else by the system's.
pub(super) fn verifier(values: &mut Values<'_>, named: Option<RootCertStore>) -> Option<Verifier> {
    let is_set = |name: &&str| values.raw(name).is_some();
    let store = match named {
        // There the library would look for a file of no name.
        None if !cfg!(any(windows, target_vendor = "apple")) && VARIABLES.iter().any(is_set) => {
            Some(installed())
        }
        named => named,
    };
    let provider = Arc::new(ring::default_provider());
    let verifier = match store {
        Some(store) => WebPkiServerVerifier::builder_with_provider(store.into(), provider)
            .build()
            .ok()
            .map(|verifier| verifier as Verifier),
        None => rustls_platform_verifier::Verifier::new(provider)
            .ok()
            .map(|verifier| Arc::new(verifier) as Verifier),
    };
    if verifier.is_none() {
        values.problem(
            "this machine has no CA certificates to trust servers by; install them (the package \
             is mostly called ca-certificates), or name a file of them in SSL_CERT_FILE"
                .to_owned(),
        );
    }
    verifier
}

/// Whether there is a certificate among what a file holds that can be trusted.
pub(super) fn is_usable(pem: &[u8]) -> bool {
    add(pem, &mut RootCertStore::empty()) > 0
}

fn add_file(path: &Path, store: &mut RootCertStore) -> Result<(), String> {
    let pem = read(path).map_err(|error| format!("which can't be read: {error}"))?;
    match add(&pem, store) {
        0 => Err("in which is no usable certificate (in PEM)".to_owned()),
        _ => Ok(()),
    }
}

/// Adds what the files of some directories hold. Returns how much that is.
fn add_directories(directories: &OsStr, store: &mut RootCertStore) -> Result<usize, String> {
    let mut count = 0;
    let paths = std::env::split_paths(directories).filter(|path| !path.as_os_str().is_empty());
    for entry in paths.filter_map(|path| fs::read_dir(path).ok()).flatten().flatten() {
        let path = entry.path();
        // Other things than files are passed over.
        if fs::metadata(&path).is_ok_and(|found| found.is_file()) {
            let pem = read(&path).map_err(|error| {
                format!("with {}, which can't be read: {error}", path.display())
            })?;
            count += add(&pem, store);
        }
    }
    Ok(count)
}

/// The system's certificates, where the library can't be asked for them.
fn installed() -> RootCertStore {
    let mut store = RootCertStore::empty();
    let places = openssl_probe::probe();
    let is_added = places.cert_file.is_some_and(|file| add_file(&file, &mut store).is_ok());
    if !is_added {
        let directories = std::env::join_paths(places.cert_dir).unwrap_or_else(|_| OsString::new());
        // What can't be read is no certificate.
        let _ = add_directories(&directories, &mut store);
    }
    store
}

/// What a file holds, if it is one and not too large.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    private_fs::read_regular(path, LARGEST_MIB)
}

/// Adds the certificates that can be trusted. Returns how many there are.
fn add(pem: &[u8], store: &mut RootCertStore) -> usize {
    let certificates = CertificateDer::pem_slice_iter(pem).filter_map(Result::ok);
    certificates.filter(|certificate| store.add(certificate.clone()).is_ok()).count()
}
