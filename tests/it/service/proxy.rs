//! ConductorOne behind a proxy: both the token endpoint and gRPC go through it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use crate::harness::TestDir;
use crate::harness::daemon::{Daemon, fakes};
use fake_conductorone::Code;

/// A proxy that tunnels, and notes what it is asked for. Returns its port and the notes: the
/// request line of each tunnel with its authorization.
fn proxy() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let noting = Arc::clone(&notes);
    std::thread::spawn(move || {
        for client in listener.incoming().map_while(Result::ok) {
            let noting = Arc::clone(&noting);
            std::thread::spawn(move || tunnel(client, &noting));
        }
    });
    (port, notes)
}

fn tunnel(mut client: TcpStream, notes: &Mutex<Vec<String>>) -> Option<()> {
    let mut head = BufReader::new(client.try_clone().ok()?).lines().map_while(Result::ok);
    let request = head.next()?;
    let headers: Vec<_> = head.take_while(|line| !line.is_empty()).collect();
    let authorization = headers
        .iter()
        .find(|line| line.to_lowercase().starts_with("proxy-authorization:"))
        .cloned()
        .unwrap_or_default();
    notes.lock().unwrap().push(format!("{request} {authorization}"));
    let target = request.strip_prefix("CONNECT ")?.split(' ').next()?;
    let mut server = TcpStream::connect(target).ok()?;
    client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let (mut from_client, mut to_server) = (client.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from_client, &mut to_server));
    std::io::copy(&mut server, &mut client).ok()?;
    Some(())
}

#[test]
fn the_proxy_of_the_environment_is_used_for_tokens_and_calls() {
    let ((platform, northflank), (port, notes)) = (fakes(), proxy());
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector.variable("HTTPS_PROXY", format!("http://me:pass@127.0.0.1:{port}"))
    });
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok, "{}", daemon.log());
    let notes = notes.lock().unwrap().clone();
    assert_eq!(notes.len(), 2, "one for the token, one for all calls: {notes:?}");
    for note in notes {
        assert!(note.starts_with(&format!("CONNECT {} ", platform.api_host())), "{note}");
        assert!(note.ends_with("Basic bWU6cGFzcw=="), "{note}");
    }
    assert!(!daemon.log().contains("pass@"), "{}", daemon.log());
    platform.assert_no_violations();
}

#[test]
fn a_host_that_needs_no_proxy_is_reached_without() {
    let ((platform, northflank), (port, notes)) = (fakes(), proxy());
    let daemon = Daemon::start_with(&platform, &northflank, TestDir::new(), |connector| {
        connector
            .variable("HTTPS_PROXY", format!("http://127.0.0.1:{port}"))
            .variable("NO_PROXY", "localhost")
    });
    assert_eq!(platform.ending(&platform.assign_sync()).code, Code::Ok, "{}", daemon.log());
    assert!(notes.lock().unwrap().is_empty());
}
