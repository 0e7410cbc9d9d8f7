//! What is kept for benchmarks is what would have been answered.

use std::io::Write as _;
use std::net::TcpStream;

use fake_northflank::{FakeNorthflank, Member, Options, Organization, Size};

const SIZE: Size = Size { members: 250, roles: 3, groups: 3, memberships: 20 };

fn serve(keep_answers: bool) -> FakeNorthflank {
    let options = Options { rate_limit: None, keep_answers, ..Options::default() };
    FakeNorthflank::start(Organization::generate(1, SIZE), options).unwrap()
}

fn ask(fake: &FakeNorthflank, path: &str) -> String {
    let address = fake.origin().replace("http://", "");
    let mut stream = TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "GET /v1/{path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\
         Connection: close\r\n\r\n",
        fake.token()
    )
    .unwrap();
    let answer = std::io::read_to_string(stream).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[test]
fn a_kept_answer_is_given_again_with_its_cursor() {
    let [kept, made] = [true, false].map(|keep| {
        let fake = serve(keep);
        [(); 2].map(|()| ask(&fake, "org-members?per_page=100"))
    });
    assert_eq!(kept[0], made[0]);
    assert_eq!(kept[0], kept[1]);
    assert_ne!(made[0], made[1], "each cursor is a new one");
}

#[test]
fn a_kept_answer_ends_with_the_organization_that_it_tells_of() {
    let fake = serve(true);
    let path = "org-members?per_page=100&page=3";
    assert!(!ask(&fake, path).contains("newcomer"));
    fake.mutate(|organization| {
        let id = "newcomer".to_owned();
        organization.members.push(Member { id, listed: true, ..Member::default() });
    });
    assert!(ask(&fake, path).contains("newcomer"));
}
