//! What ConductorOne is told of the machine and of the build.

use super::operating_system;
use super::protocol::baton_service_hello_request::{BuildInfo, OsInfo};

/// The longest text that ConductorOne accepts here, in bytes.
const LONGEST: usize = 256;

/// The build: compiler, package and version.
pub(super) fn build_info() -> BuildInfo {
    BuildInfo {
        lang_version: env!("RUSTC_VERSION").to_owned(),
        package: env!("CARGO_PKG_NAME").to_owned(),
        package_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The machine. ConductorOne refuses a connector that leaves a field empty, so that unknown
/// ones fall back to a related one, as in baton-sdk.
pub(super) fn os_info() -> OsInfo {
    let os = std::env::consts::OS;
    let platform = filled([operating_system::distribution(), os.to_owned()]);
    let kernel_version = filled([operating_system::kernel_version(), unknown()]);
    OsInfo {
        hostname: filled([hostname(), unknown()]),
        os: os.to_owned(),
        platform_version: filled([operating_system::version(), kernel_version.clone()]),
        platform_family: filled([operating_system::distribution_family(), platform.clone()]),
        platform,
        kernel_version,
        kernel_arch: filled([operating_system::architecture(), std::env::consts::ARCH.to_owned()]),
        virtualization_system: filled([container().to_owned(), "none".to_owned()]),
    }
}

/// The machine's name, empty where it has none.
pub(super) fn hostname() -> String {
    operating_system::hostname()
}

/// What the process is contained in, as far as that shows.
#[expect(clippy::disallowed_methods, reason = "a container's mark")]
fn container() -> &'static str {
    if std::path::Path::new("/.dockerenv").exists() {
        "docker"
    } else if std::path::Path::new("/run/.containerenv").exists() {
        "podman"
    } else if std::env::var_os("KUBERNETES_SERVICE_HOST").is_some() {
        "kubernetes"
    } else {
        ""
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

/// The first text that isn't blank, within the limit.
fn filled<const N: usize>(texts: [String; N]) -> String {
    let text = texts.into_iter().find(|text| !text.trim().is_empty()).unwrap_or_default();
    crate::baton::shorten(text.trim(), LONGEST)
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, build_info, os_info};

    #[test]
    fn every_field_is_filled_and_within_the_limit() {
        let os = os_info();
        let build = build_info();
        let fields = [
            os.hostname,
            os.os,
            os.platform,
            os.platform_version,
            os.platform_family,
            os.kernel_version,
            os.kernel_arch,
            os.virtualization_system,
            build.lang_version,
            build.package,
            build.package_version,
        ];
        for field in fields {
            assert!((1..=LONGEST).contains(&field.len()), "{field:?}");
        }
    }
}
