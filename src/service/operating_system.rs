//! What the operating system says of itself; an empty text where it doesn't say.

#[cfg(unix)]
pub(super) use unix::{architecture, hostname, kernel_version};
#[cfg(windows)]
pub(super) use windows::{architecture, hostname, kernel_version, version};

#[cfg(unix)]
mod unix {
    use std::ffi::CStr;

    use rustix::system::uname;

    /// The machine's name.
    pub(in super::super) fn hostname() -> String {
        text(uname().nodename())
    }

    /// The kernel's release.
    pub(in super::super) fn kernel_version() -> String {
        text(uname().release())
    }

    /// The processor's architecture.
    pub(in super::super) fn architecture() -> String {
        text(uname().machine())
    }

    fn text(said: &CStr) -> String {
        said.to_str().unwrap_or_default().to_owned()
    }
}

#[cfg(windows)]
mod windows {
    use windows_registry::LOCAL_MACHINE;

    const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";

    /// The first build that is Windows 11, whose major version still says 10.
    const WINDOWS_11: u32 = 22_000;

    /// The machine's name in DNS.
    pub(in super::super) fn hostname() -> String {
        text(r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters", "Hostname")
    }

    /// The number of the system's build.
    pub(in super::super) fn kernel_version() -> String {
        text(CURRENT_VERSION, "CurrentBuildNumber")
    }

    /// The processor's architecture.
    pub(in super::super) fn architecture() -> String {
        match std::env::consts::ARCH {
            "aarch64" => "arm64".to_owned(),
            other => other.to_owned(),
        }
    }

    /// The system's version: its major number and its build.
    pub(in super::super) fn version() -> String {
        let build = kernel_version();
        let major = if build.parse().is_ok_and(|build: u32| build >= WINDOWS_11) {
            11
        } else {
            let key = LOCAL_MACHINE.open(CURRENT_VERSION);
            key.and_then(|key| key.get_u32("CurrentMajorVersionNumber")).unwrap_or_default()
        };
        format!("{major} ({build})")
    }

    fn text(key: &str, name: &str) -> String {
        LOCAL_MACHINE.open(key).and_then(|key| key.get_string(name)).unwrap_or_default()
    }
}

/// The system's version.
#[cfg(unix)]
pub(super) fn version() -> String {
    let version = if cfg!(target_vendor = "apple") {
        let plist = "/System/Library/CoreServices/SystemVersion.plist";
        std::fs::read_to_string(plist).ok().and_then(|plist| product_version(&plist))
    } else {
        // os-release(5) may leave it out.
        os_release("VERSION_ID=").or_else(|| field_of("/etc/lsb-release", "DISTRIB_RELEASE="))
    };
    version.unwrap_or_default()
}

/// The text after the key `ProductVersion` of a property list.
#[cfg(unix)]
fn product_version(plist: &str) -> Option<String> {
    let (_, after_key) = plist.split_once("<key>ProductVersion</key>")?;
    let (text, _) = after_key.trim_start().strip_prefix("<string>")?.split_once("</string>")?;
    Some(text.to_owned())
}

/// The distribution's id, where there are distributions.
pub(super) fn distribution() -> String {
    os_release("ID=").unwrap_or_default()
}

/// The id of the distribution that this one is most like.
pub(super) fn distribution_family() -> String {
    let families = os_release("ID_LIKE=").unwrap_or_default();
    families.split_ascii_whitespace().next().unwrap_or_default().to_owned()
}

fn os_release(field: &str) -> Option<String> {
    let has_distributions = cfg!(all(unix, not(target_vendor = "apple")));
    has_distributions.then(|| field_of("/etc/os-release", field)).flatten()
}

fn field_of(path: &str, field: &str) -> Option<String> {
    field_in(&std::fs::read_to_string(path).ok()?, field)
}

/// The value of the first line that begins with `field`, without its quotes.
fn field_in(text: &str, field: &str) -> Option<String> {
    let value = text.lines().find_map(|line| line.strip_prefix(field))?;
    Some(value.replace('"', ""))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_field_of_os_release_is_found_by_its_whole_name_and_stands_without_quotes() {
        let text = "NAME=\"Debian GNU/Linux\"\nVERSION_ID=\"13\"\nID=debian\nID_LIKE=\"a b\"\n";
        let field = |name| super::field_in(text, name);
        assert_eq!(field("ID=").as_deref(), Some("debian"));
        assert_eq!(field("VERSION_ID=").as_deref(), Some("13"));
        assert_eq!(field("ID_LIKE=").as_deref(), Some("a b"));
        assert_eq!(field("BUILD_ID="), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_kernel_says_the_same_of_itself_everywhere() {
        let kernel = |name: &str| {
            std::fs::read_to_string(format!("/proc/sys/kernel/{name}")).unwrap().trim().to_owned()
        };
        assert_eq!(super::hostname(), kernel("hostname"));
        assert_eq!(super::kernel_version(), kernel("osrelease"));
    }

    #[test]
    #[cfg(unix)]
    fn the_version_of_macos_stands_in_a_property_list() {
        let plist = "<dict>\n\t<key>ProductName</key>\n\t<string>macOS</string>\n\
                     \t<key>ProductVersion</key>\n\t<string>15.1</string>\n</dict>";
        assert_eq!(super::product_version(plist).as_deref(), Some("15.1"));
        assert_eq!(super::product_version("<dict/>"), None);
        assert_eq!(super::product_version("<key>ProductVersion</key><real>1</real>"), None);
    }
}
