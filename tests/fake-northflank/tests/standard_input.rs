//! The binary serves as long as its standard input is open, and says why it ends.

use std::process::{Command, Stdio};

#[test]
fn the_end_of_standard_input_ends_it_and_is_told() {
    let mut fake = Command::new(env!("CARGO_BIN_EXE_fake-northflank"));
    let output = fake.arg("--demo").stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("origin=http://127.0.0.1:"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("standard input has ended"), "{said}");
}
