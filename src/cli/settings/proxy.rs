//! Proxies of the environment. The HTTP library goes without one that it can't understand,
//! which would send the token where it was not to go: that is a mistake here.

use crate::service::check_proxy;

use super::values::Values;

/// The variables that name proxies.
const VARIABLES: [&str; 6] =
    ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];

/// The variables that name hosts to go to without one.
const EXCEPTIONS: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// Notes proxies that can't be used.
pub(super) fn check(values: &mut Values<'_>, is_service: bool) {
    for name in VARIABLES {
        // It could hold a password: never repeated.
        if let Some(text) = values.unquoted(name)
            && let Err(problem) = check_proxy(&text, is_service)
        {
            values.problem(format!("{name} {problem}"));
        }
    }
    for name in EXCEPTIONS {
        // One that can't be read would be no exception.
        values.unquoted(name);
    }
}
