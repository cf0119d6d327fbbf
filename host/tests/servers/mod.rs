//! A server of the program `redis-server`, on a port of the loopback that nobody uses.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tailstone_host::keyvalue::{Access, Backend, Redis};
use tempfile::TempDir;

pub struct Server {
    process: Child,
    pub url: String,
    _folder: TempDir,
}

impl Server {
    pub fn start() -> Option<Self> {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let folder = tempfile::tempdir().unwrap();
        let process = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .ok()?;
        Some(Self {
            process,
            url: format!("redis://127.0.0.1:{port}"),
            _folder: folder,
        })
    }

    pub fn stop(&mut self) {
        let _ended = self.process.kill();
        let _reaped = self.process.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A server that answers, and its store `plugin`; none where there is no such program.
pub fn server() -> Option<(Server, Redis)> {
    let Some(server) = Server::start() else {
        println!("skipped: there is no `redis-server` here; Debian's package of that name has it");
        return None;
    };
    let backend = Redis::new(&server.url, "plugin").unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(refusal) = backend.open(b"", Access::ReadWrite) {
        assert!(Instant::now() < deadline, "{refusal}");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some((server, backend))
}
