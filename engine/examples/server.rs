//! A store inside a threaded server: acknowledged is durable, readers wait for nobody, and stopping loses nothing.
//!
//! Lines in, lines out: `SET key value`, `GET key`, `ADD key number`, `STOP`. The example is its own client, and ends.
//!
//! `cargo run --example server`

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tailstone::{DataStore, Durability};

const WORKERS: usize = 4;
const CLIENTS: usize = 8;
const ORDERS: i64 = 25;
/// What a client may keep a worker waiting for.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest line that is read; nobody fills our memory.
const LINE_BYTES: u64 = 4096;

/// What the workers share. A store needs no lock around it: all its methods take `&self`.
struct Server {
    store: DataStore,
    listener: TcpListener,
    stopping: AtomicBool,
}

impl Server {
    /// Serves until somebody says `STOP`, a connection at a time in each of the workers.
    fn run(&self) -> io::Result<()> {
        thread::scope(|scope| {
            let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(|| self.work())).collect();
            for worker in workers {
                worker
                    .join()
                    .map_err(|_| io::Error::other("a worker panicked"))??;
            }
            Ok(())
        })
    }

    fn work(&self) -> io::Result<()> {
        while !self.stopping.load(Ordering::Acquire) {
            let (connection, _) = self.listener.accept()?;
            // A client that goes away or says nothing ends its own connection, not the server.
            if let Err(error) = self.serve(&connection) {
                eprintln!("a connection ended: {error}");
            }
        }
        Ok(())
    }

    fn serve(&self, connection: &TcpStream) -> io::Result<()> {
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut lines = BufReader::new(connection);
        let mut writer = connection;
        loop {
            let mut line = String::new();
            if lines.by_ref().take(LINE_BYTES).read_line(&mut line)? == 0 {
                return Ok(());
            }
            let answer = match self.answer(line.trim_end()) {
                Ok(answer) => answer,
                Err(error) => format!("ERROR {error}"),
            };
            writer.write_all(format!("{answer}\n").as_bytes())?;
            if self.stopping.load(Ordering::Acquire) {
                return Ok(());
            }
        }
    }

    /// By the time the client reads the answer, what it says is on stable storage.
    fn answer(&self, line: &str) -> Result<String, Box<dyn Error>> {
        let data = self.store.bucket("data")?;
        let words: Vec<&str> = line.splitn(3, ' ').collect();
        Ok(match words.as_slice() {
            ["SET", key, value] => {
                data.set(key.as_bytes(), value.as_bytes())?;
                "OK".to_owned()
            }
            // Adding happens under the store's writer lock: no count is lost, whatever the others do.
            ["ADD", key, number] => data.increment(key.as_bytes(), number.parse()?)?.to_string(),
            ["GET", key] => match data.get(key.as_bytes())? {
                Some(value) => format!("VALUE {}", String::from_utf8_lossy(&value)),
                None => "NONE".to_owned(),
            },
            ["STOP"] => {
                self.stop()?;
                "OK".to_owned()
            }
            _ => return Err("what?".into()),
        })
    }

    /// Lets every worker finish its connection; those that wait for one are given one that says nothing.
    fn stop(&self) -> io::Result<()> {
        self.stopping.store(true, Ordering::Release);
        let address = self.listener.local_addr()?;
        for _ in 0..WORKERS {
            drop(TcpStream::connect_timeout(&address, PATIENCE)?);
        }
        Ok(())
    }
}

/// A client: one connection, a line for a line.
struct Client {
    lines: BufReader<TcpStream>,
}

impl Client {
    fn connect(address: SocketAddr) -> io::Result<Self> {
        let connection = TcpStream::connect_timeout(&address, PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            lines: BufReader::new(connection),
        })
    }

    fn ask(&mut self, line: &str) -> io::Result<String> {
        self.lines
            .get_mut()
            .write_all(format!("{line}\n").as_bytes())?;
        let mut answer = String::new();
        self.lines.read_line(&mut answer)?;
        Ok(answer.trim_end().to_owned())
    }
}

/// What one customer does: each order under its own key, and counted.
fn order(address: SocketAddr, customer: usize) -> io::Result<()> {
    let mut client = Client::connect(address)?;
    for nth in 0..ORDERS {
        let answer = client.ask(&format!("SET order-{customer}-{nth} {nth} pieces of cake"))?;
        assert_eq!(answer, "OK");
        client.ask("ADD orders 1")?;
    }
    let answer = client.ask(&format!("GET order-{customer}-3"))?;
    assert_eq!(answer, "VALUE 3 pieces of cake");
    assert_eq!(client.ask("FROBNICATE")?, "ERROR what?");
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("orders.tsl");

    // `Sync`: a write returns once it is on stable storage, so that "OK" outlives the machine's power.
    let server = Server {
        store: DataStore::options()
            .durability(Durability::Sync)
            .open(&path)?,
        listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?,
        stopping: AtomicBool::new(false),
    };
    let address = server.listener.local_addr()?;

    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        let running = scope.spawn(|| server.run());
        let customers: Vec<_> = (0..CLIENTS)
            .map(|customer| scope.spawn(move || order(address, customer)))
            .collect();
        let ended: Vec<_> = customers
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect();
        // The server stops whatever the customers met, or nobody would wait for it in vain.
        assert_eq!(Client::connect(address)?.ask("STOP")?, "OK");
        running.join().map_err(|_| "the server panicked")??;
        for customer in ended {
            customer.map_err(|_| "a customer panicked")??;
        }
        Ok(())
    })?;
    let Server { store, .. } = server;
    store.close()?;

    // The next start finds all that was acknowledged.
    let store = DataStore::open(&path)?;
    let data = store.bucket("data")?;
    let orders = data.increment(b"orders", 0)?;
    let keys = data.keys(b"order-", None, 1000)?.keys.len();
    println!("{orders} orders of {CLIENTS} customers, {keys} of them on record");
    assert_eq!(orders, ORDERS * i64::try_from(CLIENTS)?);
    assert_eq!(i64::try_from(keys)?, orders);
    Ok(())
}
