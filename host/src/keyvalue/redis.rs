//! A server that speaks Redis's protocol as a backend, for when one machine is outgrown.
//!
//! Invariant: every change is one script, so it happens as a whole; and all keys of a bucket carry its name in braces, so a
//! cluster keeps them on one node. Durability is what the server is set to; nothing here waits for its disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use redis::{Client, Cmd, Connection, FromRedisValue, RedisError, RedisResult, Script, cmd};
use tailstone_interface::bounds::PAGE_ENTRIES;
use tailstone_interface::{Change, KeyPage, Refusal, Result, Stat};

use super::backend::{Backend, Bucket};
use super::grant::Access;

/// How long connecting, and an answer, may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Connections that are kept for the next call.
const MOST_IDLE: usize = 16;
/// How long a server remembers which key a cursor that is a number stands for.
const CURSOR_SECONDS: u64 = 3600;
/// Bytes of keys that are asked for at a time are bounded by asking for few keys.
const AT_A_TIME: usize = 32;

/// A store on a server: `redis://[user:password@]host[:port][/db]`.
#[derive(Clone)]
pub struct Redis {
    server: Arc<Server>,
    name: String,
}

struct Server {
    client: Client,
    /// Connections that nobody uses just now.
    idle: Mutex<Vec<Connection>>,
    scripts: Scripts,
}

struct Scripts {
    put_if: Script,
    delete: Script,
    change: Script,
    add: Script,
}

/// An open bucket: hashes of values and versions, keys in order, the last version, and what cursors stand for.
struct Remote {
    server: Arc<Server>,
    values: Vec<u8>,
    versions: Vec<u8>,
    keys: Vec<u8>,
    clock: Vec<u8>,
    cursors: Vec<u8>,
}

/// Puts a value if its version is as expected: an empty text for none, `*` for any.
const PUT_IF: &str = "
local now = redis.call('HGET', KEYS[2], ARGV[1]) or ''
if ARGV[3] ~= '*' and ARGV[3] ~= now then return 0 end
local version = redis.call('INCR', KEYS[4])
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[1], version)
redis.call('ZADD', KEYS[3], 0, ARGV[1])
return 1";

const DELETE: &str = "
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('HDEL', KEYS[1], ARGV[1])";

/// Changes in threes: what is done, the key, the value.
const CHANGE: &str = "
for at = 1, #ARGV, 3 do
  local key = ARGV[at + 1]
  if ARGV[at] == 'put' then
    local version = redis.call('INCR', KEYS[4])
    redis.call('HSET', KEYS[1], key, ARGV[at + 2])
    redis.call('HSET', KEYS[2], key, version)
    redis.call('ZADD', KEYS[3], 0, key)
  else
    redis.call('HDEL', KEYS[1], key)
    redis.call('HDEL', KEYS[2], key)
    redis.call('ZREM', KEYS[3], key)
  end
end
return 1";

/// Keys and values in turn, if none of the keys is there.
const ADD: &str = "
for at = 1, #ARGV, 2 do
  if redis.call('HEXISTS', KEYS[1], ARGV[at]) == 1 then return 0 end
end
for at = 1, #ARGV, 2 do
  local key = ARGV[at]
  redis.call('HSET', KEYS[1], key, ARGV[at + 1])
  redis.call('HSET', KEYS[2], key, redis.call('INCR', KEYS[4]))
  redis.call('ZADD', KEYS[3], 0, key)
end
return 1";

impl Redis {
    /// The store called `name` on the server at `url`. Nothing is connected yet; an address that is none is an error.
    pub fn new(url: &str, name: impl Into<String>) -> Result<Self> {
        let client = Client::open(url).map_err(refusal)?;
        let scripts = Scripts {
            put_if: Script::new(PUT_IF),
            delete: Script::new(DELETE),
            change: Script::new(CHANGE),
            add: Script::new(ADD),
        };
        let server = Server {
            client,
            idle: Mutex::default(),
            scripts,
        };
        Ok(Self {
            server: Arc::new(server),
            name: name.into(),
        })
    }
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Redis")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl Backend for Redis {
    fn is_remote(&self) -> bool {
        true
    }

    fn open(&self, bucket: &[u8], _access: Access) -> Result<Arc<dyn Bucket>> {
        // Lengths before names, so that no two pairs of names make the same key.
        let place = |part: &str| {
            let mut key = format!("tailstone:{{{}:{}:", self.name.len(), self.name).into_bytes();
            key.extend_from_slice(bucket);
            key.extend_from_slice(b"}:");
            key.extend_from_slice(part.as_bytes());
            key
        };
        let remote = Remote {
            server: Arc::clone(&self.server),
            values: place("values"),
            versions: place("versions"),
            keys: place("keys"),
            clock: place("clock"),
            cursors: place("cursors"),
        };
        let _pong: String = self
            .server
            .ask(|connection| cmd("PING").query(connection))?;
        Ok(Arc::new(remote))
    }
}

impl Server {
    /// Asks on a connection that nobody uses, or a new one; one that failed is given up.
    fn ask<R>(&self, ask: impl FnOnce(&mut Connection) -> RedisResult<R>) -> Result<R> {
        let idle = self.idle().pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let answer = ask(&mut connection);
        let is_lost = answer
            .as_ref()
            .is_err_and(RedisError::is_unrecoverable_error);
        let mut idle = self.idle();
        if !is_lost && idle.len() < MOST_IDLE {
            idle.push(connection);
        }
        answer.map_err(refusal)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connect(&self) -> Result<Connection> {
        let connection = self
            .client
            .get_connection_with_timeout(PATIENCE)
            .map_err(refusal)?;
        connection
            .set_read_timeout(Some(PATIENCE))
            .map_err(refusal)?;
        connection
            .set_write_timeout(Some(PATIENCE))
            .map_err(refusal)?;
        Ok(connection)
    }
}

impl Remote {
    fn query<R: FromRedisValue>(&self, command: &Cmd) -> Result<R> {
        self.server.ask(|connection| command.query(connection))
    }

    fn run(&self, script: &Script, arguments: &[&[u8]]) -> Result<u64> {
        let mut call = script.prepare_invoke();
        call.key(&self.values)
            .key(&self.versions)
            .key(&self.keys)
            .key(&self.clock);
        for argument in arguments {
            call.arg(*argument);
        }
        self.server.ask(|connection| call.invoke(connection))
    }
}

impl Bucket for Remote {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>> {
        let value: Option<Vec<u8>> = self.query(cmd("HGET").arg(&self.values).arg(key))?;
        Ok(value.map(Bytes::from))
    }

    fn stat(&self, key: &[u8]) -> Result<Option<Stat>> {
        let (len, version): (u64, Option<u64>) = self.server.ask(|connection| {
            redis::pipe()
                .atomic()
                .cmd("HSTRLEN")
                .arg(&self.values)
                .arg(key)
                .cmd("HGET")
                .arg(&self.versions)
                .arg(key)
                .query(connection)
        })?;
        Ok(version.map(|version| Stat {
            len,
            version,
            expires_at: None,
        }))
    }

    fn get_versioned(&self, key: &[u8]) -> Result<Option<(Bytes, u64)>> {
        let (value, version): (Option<Vec<u8>>, Option<u64>) = self.server.ask(|connection| {
            redis::pipe()
                .atomic()
                .cmd("HGET")
                .arg(&self.values)
                .arg(key)
                .cmd("HGET")
                .arg(&self.versions)
                .arg(key)
                .query(connection)
        })?;
        Ok(value.map(Bytes::from).zip(version))
    }

    fn put(&self, key: &[u8], value: &[u8]) -> Result<()> {
        self.run(&self.server.scripts.put_if, &[key, value, b"*"])?;
        Ok(())
    }

    fn put_if(&self, key: &[u8], value: &[u8], expected: Option<u64>) -> Result<bool> {
        let expected = expected.map_or(String::new(), |version| version.to_string());
        let done = self.run(
            &self.server.scripts.put_if,
            &[key, value, expected.as_bytes()],
        )?;
        Ok(done == 1)
    }

    fn delete(&self, key: &[u8]) -> Result<bool> {
        Ok(self.run(&self.server.scripts.delete, &[key])? == 1)
    }

    fn change(&self, changes: &[Change<'_>]) -> Result<()> {
        let mut arguments: Vec<&[u8]> = Vec::with_capacity(3 * changes.len());
        for change in changes {
            match change {
                Change::Put(key, value) => arguments.extend([&b"put"[..], key, value]),
                Change::Delete(key) => arguments.extend([&b"delete"[..], key, b""]),
            }
        }
        if !arguments.is_empty() {
            self.run(&self.server.scripts.change, &arguments)?;
        }
        Ok(())
    }

    fn add(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool> {
        let arguments: Vec<&[u8]> = pairs
            .iter()
            .flat_map(|(key, value)| [*key, *value])
            .collect();
        Ok(arguments.is_empty() || self.run(&self.server.scripts.add, &arguments)? == 1)
    }

    fn scan(&self, prefix: &[u8], cursor: Option<&[u8]>, max: usize) -> Result<KeyPage> {
        KeyPage::gather(max.min(PAGE_ENTRIES), cursor, |cursor, limit| {
            let limit = limit.min(AT_A_TIME);
            let (mark, start) = match cursor {
                Some(cursor) if cursor >= prefix => (b'(', cursor),
                _ => (b'[', prefix),
            };
            let from = [&[mark], start].concat();
            let mut command = cmd("ZRANGEBYLEX");
            command
                .arg(&self.keys)
                .arg(from)
                .arg("+")
                .arg("LIMIT")
                .arg(0)
                .arg(limit + 1);
            let mut keys: Vec<Vec<u8>> = self.query(&command)?;
            let has_more = keys.len() > limit;
            keys.truncate(limit);
            let all = keys.len();
            keys.retain(|key| key.starts_with(prefix));
            let has_more = has_more && keys.len() == all;
            Ok(KeyPage {
                cursor: keys.last().filter(|_| has_more).cloned(),
                keys,
            })
        })
    }

    fn number_of_key(&self, key: &[u8]) -> Result<u64> {
        let number = tailstone::format::compute_hash(key);
        self.server.ask(|connection| {
            redis::pipe()
                .cmd("HSET")
                .arg(&self.cursors)
                .arg(number)
                .arg(key)
                .ignore()
                .cmd("EXPIRE")
                .arg(&self.cursors)
                .arg(CURSOR_SECONDS)
                .ignore()
                .query::<()>(connection)
        })?;
        Ok(number)
    }

    fn key_of_number(&self, number: u64) -> Result<Vec<u8>> {
        let key: Option<Vec<u8>> = self.query(cmd("HGET").arg(&self.cursors).arg(number))?;
        key.ok_or(Refusal::StaleCursor)
    }

    fn sync(&self) -> Result<()> {
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn refusal(error: RedisError) -> Refusal {
    Refusal::Other(format!("the server of this store: {error}"))
}
