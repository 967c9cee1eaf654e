use std::{
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Instant,
};

use super::*;

impl Server {
    /// What a query answers.
    fn sql(&self, url: &str, query: &str) -> String {
        let mut command = Command::new(self.programs.join("psql"));
        let output = self.prepare(command.args([url, "-XAtc", query])).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

#[test]
fn each_test_has_a_database_of_its_own() {
    let server = Server::shared();
    let (one, two) = (server.create(), server.create());
    server.sql(&one, "create table t (a int)");
    server.sql(&two, "create table t (a int)");
    assert_eq!(server.sql(&one, "show fsync"), "off");
    let databases = "select count(*) from pg_database where datname like 'test%'";
    assert_eq!(server.sql(&two, databases), "2");
    server.remove(&one);
    assert_eq!(server.sql(&two, databases), "1");
}

#[test]
fn what_was_committed_survives_a_stop_and_a_kill_at_the_same_url() {
    let mut server = Server::start_with(Settings { durable: true });
    let url = server.create();
    assert_eq!(server.sql(&url, "show fsync"), "on");
    server.sql(&url, "create table t (a int); insert into t values (7)");
    server.stop();
    server.start_again();
    server.sql(&url, "insert into t values (8)");
    server.kill();
    server.start_again();
    assert_eq!(server.sql(&url, "select sum(a) from t"), "15");
}

#[test]
fn a_killed_holder_leaves_no_server_and_no_folder() {
    const HOLD: &str = "MEDLOCK_POSTGRES_HOLD";
    if std::env::var_os(HOLD).is_some() {
        let server = Server::start();
        println!("\nheld {} {}", server.port, server.dir.path().display());
        // Until the parent kills this process.
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    }
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "tests::a_killed_holder_leaves_no_server_and_no_folder",
        ])
        .env(HOLD, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    let held = lines.find_map(|line| Some(line.unwrap().strip_prefix("held ")?.to_owned()));
    let held = held.unwrap();
    let (port, dir) = held.split_once(' ').unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse().unwrap()));
    TcpStream::connect(address).unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    let begun = Instant::now();
    while TcpStream::connect(address).is_ok() || Path::new(dir).exists() {
        assert!(begun.elapsed() < DEADLINE, "the server lives on");
        std::thread::sleep(Duration::from_millis(10));
    }
}
