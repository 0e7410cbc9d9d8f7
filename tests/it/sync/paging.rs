//! Lists are read whole however the server says where they go on, and whether they do.

use fake_northflank::{Action, CursorStyle, Endpoint, Options, Rule, Word};
use serde_json::json;

use crate::harness::exit_code;
use crate::harness::trial::{Trial, long_role, organization, requests};

/// Lists of the organization that have rows: of members, of roles, of each role and group.
fn lists() -> usize {
    let organization = organization();
    let roles = organization.roles.iter().map(|role| organization.role_members(role).len());
    let groups = organization.groups.iter().map(|group| group.users.len());
    2 + roles.chain(groups).filter(|rows| *rows > 0).count()
}

#[test]
fn whatever_is_said_of_what_follows_every_list_is_read_to_its_end() {
    for word in Word::ALL {
        let trial = Trial::with(Options { word, ..Options::default() }, []);
        trial.succeed();
        trial.fake.assert_no_violations();
        let more = trial.fake.requests() - requests();
        match word {
            // Each list ends with an empty page.
            Word::FalseUntilEmpty => assert_eq!(more, lists()),
            // Until the word is known to be good: what is under way by then.
            Word::StrayCursor => assert!((1..lists()).contains(&more), "{more}"),
            Word::Kept | Word::AlwaysFalse | Word::WithoutCursor => assert_eq!(more, 0, "{word:?}"),
        }
    }
}

#[test]
fn pages_of_any_size_are_read_to_the_end() {
    for word in Word::ALL {
        for page_size in [7, 150] {
            let page_size = Some(page_size);
            let options = Options { word, page_size, rate_limit: None, ..Options::default() };
            let trial = Trial::with(options, []);
            trial.succeed();
            trial.fake.assert_no_violations();
        }
    }
}

#[test]
fn empty_pages_in_the_middle_are_no_end() {
    for word in [Word::Kept, Word::AlwaysFalse, Word::StrayCursor] {
        let options = Options { word, empty_pages: 3, ..Options::default() };
        Trial::with(options, []).succeed();
    }
}

#[test]
fn a_page_that_is_refused_is_not_taken_for_the_end_of_its_list() {
    let own = json!({"error": {"status": 400, "message": "cursor is not valid here"}}).to_string();
    let refusal = |after, body: &str| {
        let answer = Action::Respond { status: 400, headers: Vec::new(), body: body.into() };
        Rule::every(Endpoint::RoleMembers, answer).of(&long_role()).after(after).once()
    };
    for rule in [
        // Somebody else than Northflank refuses.
        refusal(1, "<html>Bad request</html>"),
        refusal(1, ""),
        // There were rows behind a cursor after which nothing was said to follow.
        refusal(2, &own),
    ] {
        let options = Options { word: Word::AlwaysFalse, page_size: Some(7), ..Options::default() };
        let trial = Trial::with(Options { rate_limit: None, ..options }, [rule]);
        let run = trial.succeed();
        assert!(run.stderr().contains("reading the list from its beginning"), "{}", run.stderr());
    }
}

#[test]
fn a_list_is_begun_anew_by_cursor_or_number() {
    for word in Word::ALL {
        for cursors in [CursorStyle::UrlSafe, CursorStyle::Hostile] {
            let error = Action::json(410, "gone");
            let rule = Rule::every(Endpoint::RoleMembers, error).of(&long_role()).after(2).once();
            let trial = Trial::with(Options { word, cursors, ..Options::default() }, [rule]);
            let run = trial.succeed();
            assert!(run.stderr().contains("from its beginning"), "{word:?}: {}", run.stderr());
            trial.fake.assert_no_violations();
        }
    }
}

#[test]
fn directory_groups_that_come_in_pages_are_read_like_other_lists() {
    for word in Word::ALL {
        let options = Options {
            word,
            paged_groups: true,
            page_size: Some(2),
            rate_limit: None,
            ..Options::default()
        };
        let trial = Trial::with(options.clone(), []);
        trial.succeed();
        trial.fake.assert_no_violations();

        let error = Action::json(418, r#"{"error":{"status":418}}"#);
        let interrupted = Rule::every(Endpoint::Groups, error).after(1);
        let trial = Trial::with(options, [interrupted]);
        trial.fail_then_succeed(exit_code::UNKNOWN, &["GET /v1/directory-groups", "418"]);
    }
}
