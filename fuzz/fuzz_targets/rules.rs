//! Whatever a file of rules holds: it is understood, or every mistake stands within it.
#![no_main]

use baton_northflank::report::review::RuleSet;
use libfuzzer_sys::fuzz_target;
use time::{Date, Month};

fuzz_target!(|text: &str| {
    let today = Date::from_calendar_date(2026, Month::November, 29).expect("it is a day");
    match RuleSet::parse(text, today) {
        Ok(rules) => {
            assert!(!rules.rules.is_empty());
            let ids = || rules.rules.iter().map(|rule| &rule.id);
            assert!(rules.exceptions.iter().all(|it| ids().any(|id| *id == it.rule)));
        }
        Err(mistakes) => {
            assert!(mistakes.iter().next().is_some());
            let lines = text.chars().filter(|char| "\r\n\u{85}\u{2028}\u{2029}".contains(*char));
            let most = lines.count() + 2;
            for mistake in mistakes.iter() {
                assert!((1..=most).contains(&mistake.at.line) && mistake.at.column > 0);
            }
        }
    }
});
