//! Proxies of the environment. The HTTP library goes without one that it can't understand,
//! which would send the token where it was not to go: that is a mistake here.

use crate::service::{check_proxy, needs_proxy};

use super::values::Values;

/// Two spellings of a variable, of which the HTTP library takes the first that is set.
type Spellings = [&'static str; 2];

/// The proxy for where we go, which is by TLS.
const FOR_TLS: Spellings = ["HTTPS_PROXY", "https_proxy"];

/// One for where nobody goes from here. Who gets it wrong may have meant the other.
const FOR_PLAIN: Spellings = ["HTTP_PROXY", "http_proxy"];

/// One that counts where no other does.
const FOR_ALL: Spellings = ["ALL_PROXY", "all_proxy"];

/// Hosts to go to without one.
const EXCEPTIONS: Spellings = ["NO_PROXY", "no_proxy"];

/// Notes proxies that can't be used, if there is one of these URLs that a proxy is to lead to.
pub(super) fn check(values: &mut Values<'_>, urls: &[String], is_service: bool) {
    let exceptions = lookup(values, EXCEPTIONS).map(|(_, text)| text).unwrap_or_default();
    if !urls.iter().any(|url| needs_proxy(url, &exceptions)) {
        return;
    }
    let [for_tls, for_plain] = [FOR_TLS, FOR_PLAIN].map(|names| lookup(values, names));
    let for_all = if for_tls.is_none() { lookup(values, FOR_ALL) } else { None };
    for (name, text) in [for_tls, for_plain, for_all].into_iter().flatten() {
        // It could hold a password: never repeated.
        if let Err(problem) = check_proxy(&text, is_service) {
            values.problem(format!("{name} {problem}"));
        }
    }
}

/// A variable in the spelling that counts.
fn lookup(values: &mut Values<'_>, names: Spellings) -> Option<(&'static str, String)> {
    let [upper, lower] = names;
    if let Some(text) = values.unquoted(upper) {
        return Some((upper, text));
    }
    let text = values.unquoted(lower)?;
    if values.raw(upper).is_some() {
        values.problem(format!("{upper} is empty, and {lower} is passed over; unset {upper}"));
    }
    Some((lower, text))
}
