//! `--store NAME=PLACE[:ro|rw|append][,quota=64MiB]...`: what a plugin is granted, as it is written on the command line.

use std::str::FromStr;

use bytesize::ByteSize;
use tailstone_host::keyvalue::{Access, Grant, KeyValueCtx, Quota};

/// A grant and the name that the plugin knows it by.
#[derive(Debug, Clone)]
pub struct StoreGrant {
    name: String,
    grant: Grant,
}

impl FromStr for StoreGrant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, rest) = text
            .split_once('=')
            .ok_or("a store is written as NAME=FILE, with `:ro` or `:append` and `,quota=64MiB` behind it if need be")?;
        let (place, options) = rest.split_once(',').unwrap_or((rest, ""));
        let (place, access) = match place.rsplit_once(':') {
            Some((place, "ro")) => (place, Access::ReadOnly),
            Some((place, "rw")) => (place, Access::ReadWrite),
            Some((place, "append")) => (place, Access::AppendOnly),
            _ => (place, Access::ReadWrite),
        };
        if place.is_empty() {
            return Err(format!("`{text}` names no file"));
        }
        let mut quota = Quota::default();
        for option in options.split(',').filter(|option| !option.is_empty()) {
            quota = with_option(quota, option)?;
        }
        Ok(Self {
            name: name.to_owned(),
            grant: grant(name, place)?.access(access).quota(quota),
        })
    }
}

#[cfg(feature = "conformance")]
impl StoreGrant {
    /// The name that the plugin knows it by.
    pub fn name(&self) -> &str {
        &self.name
    }
}

fn grant(name: &str, place: &str) -> Result<Grant, String> {
    if place == "memory" {
        return Ok(Grant::memory());
    }
    if place.starts_with("redis://") {
        return remote(name, place);
    }
    Ok(Grant::file(place))
}

#[cfg(feature = "redis")]
fn remote(name: &str, place: &str) -> Result<Grant, String> {
    let server = tailstone_host::keyvalue::Redis::new(place, name);
    let server = server.map_err(|refusal| refusal.to_string())?;
    Ok(Grant::backend(std::sync::Arc::new(server)))
}

#[cfg(not(feature = "redis"))]
fn remote(_name: &str, place: &str) -> Result<Grant, String> {
    Err(format!(
        "this program was built without the feature `redis`, which {place} needs"
    ))
}

fn with_option(quota: Quota, option: &str) -> Result<Quota, String> {
    let (what, amount) = option
        .split_once('=')
        .ok_or_else(|| format!("`{option}` is no limit, such as `quota=64MiB`"))?;
    let number = || {
        amount
            .parse::<u64>()
            .map_err(|error| format!("`{option}`: {error}"))
    };
    let bytes = || {
        amount
            .parse::<ByteSize>()
            .map(|bytes| bytes.0)
            .map_err(|error| format!("`{option}`: {error}"))
    };
    let small = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    Ok(match what {
        "quota" => quota.with_bytes(bytes()?),
        "file" => quota.with_file_bytes(bytes()?),
        "entries" => quota.with_entries(number()?),
        "key" => quota.with_sizes(bytes()?, quota.value_bytes),
        "value" => quota.with_sizes(quota.key_bytes, bytes()?),
        "handles" => quota.with_handles(small(number()?)),
        "page" => quota.with_page_entries(small(number()?)),
        "rate" => quota.with_write_rate(bytes()?),
        _ => {
            return Err(format!(
                "there is no limit `{what}`; there are quota, file, entries, key, value, handles, page and rate"
            ));
        }
    })
}

/// The context of a plugin with these grants.
pub fn context(grants: &[StoreGrant]) -> KeyValueCtx {
    let builder = grants.iter().fold(
        KeyValueCtx::builder(),
        |builder, StoreGrant { name, grant }| builder.grant(name, grant.clone()),
    );
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_as_they_are_written() {
        for (text, expected) in [
            ("a=f", "ReadWrite"),
            ("=f", "ReadWrite"),
            ("a=f:rw", "ReadWrite"),
            ("a=f:ro", "ReadOnly"),
            ("a=C:\\f:append", "AppendOnly"),
            ("a=f:x", "ReadWrite"),
            ("a=memory", "ReadWrite"),
        ] {
            let read: StoreGrant = text.parse().unwrap();
            assert!(format!("{read:?}").contains(expected), "{text}: {read:?}");
        }
        let read: StoreGrant =
            "notes=f:ro,quota=64MiB,entries=1000,key=1KiB,value=2MB,handles=3,page=4,rate=5k"
                .parse()
                .unwrap();
        let expected = Quota::default()
            .with_bytes(64 << 20)
            .with_entries(1000)
            .with_sizes(1024, 2_000_000)
            .with_handles(3)
            .with_page_entries(4)
            .with_write_rate(5000);
        let shown = format!(
            "{:?}",
            Grant::memory().access(Access::ReadOnly).quota(expected)
        );
        assert!(format!("{read:?}").contains(&shown), "{read:?}");
        for text in [
            "f",
            "a=",
            "a=f,quota",
            "a=f,quota=lots",
            "a=f,speed=3",
            "a=f,entries=-1",
        ] {
            assert!(text.parse::<StoreGrant>().is_err(), "{text}");
        }
    }
}
