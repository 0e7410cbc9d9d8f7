//! Whatever is given as client id: it is refused, or names a host and fits into a header.
#![no_main]

use baton_northflank::service::{ApiHost, ClientId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(host) = text.parse::<ApiHost>() {
        sound(&host);
    }
    let Ok(id) = text.parse::<ClientId>() else {
        return;
    };
    assert!(!id.name().is_empty() && !id.name().contains('@'));
    assert!(id.as_str().bytes().all(|byte| byte.is_ascii_graphic()));
    assert_eq!(id.as_str().parse::<ClientId>().as_ref(), Ok(&id));
    sound(id.host());
});

/// A host means the same with its port added, and is nothing but a host.
fn sound(host: &ApiHost) {
    assert!(!host.name().is_empty());
    assert!(!host.as_str().contains(['/', '@', '?', '#', ' ']));
    let with_port: ApiHost = host.with_port().parse().expect("a host with a port is a host");
    assert_eq!((with_port.name(), with_port.with_port()), (host.name(), host.with_port()));
}
