//! A demo that is killed leaves nothing running: its gateway, the gateway's Postgres and the partners end with it.

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::gateway_process;

#[test]
fn what_it_started_ends_with_it() {
    let folder = gateway_process::folder();
    let data = folder.path().join("demo");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_signalbox"))
        .args(["demo", "--data"])
        .arg(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines().map(Result::unwrap);
    let places = ["gateway", "pas", "central"].map(|name| {
        let line = lines.find(|line| line.trim_start().starts_with(name)).unwrap();
        let place = line.split_whitespace().nth(1).unwrap().trim_start_matches("http://");
        place.split('/').next().unwrap().to_owned()
    });
    let postmaster = data.join("data/postgres/postmaster.pid");
    let was_there = postmaster.exists() && places.iter().all(|place| TcpStream::connect(place).is_ok());

    demo.kill().unwrap();
    demo.wait().unwrap();
    assert!(was_there);

    let is_left = || postmaster.exists() || places.iter().any(|place| TcpStream::connect(place).is_ok());
    for _ in 0..600 {
        if !is_left() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("a minute later something of it is still there");
}
