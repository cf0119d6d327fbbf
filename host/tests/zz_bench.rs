//! temp
mod folder;
use std::time::Instant;
use tailstone_host::*;
#[test]
fn bench() {
    for c in ["/tmp/comp-s.wasm", "/tmp/comp-3.wasm", "/tmp/comp-s.wasm", "/tmp/comp-3.wasm"] {
        let t=Instant::now();
        let rt = Runtime::new(c.as_ref(), Limits::default()).unwrap();
        let comp=t.elapsed();
        let f = folder::Folder::new();
        let p = f.path("a.tsl");
        let t=Instant::now();
        let mut s = rt.open(&p, Access::Create).unwrap();
        let inst=t.elapsed();
        let n = 100_000u32;
        let v = [7u8; 100];
        let t = Instant::now();
        for i in 0..n { s.put(&i.to_le_bytes(), &v).unwrap(); }
        let put = t.elapsed() / n;
        let t = Instant::now();
        for i in 0..n { s.get(&(i % 1000).to_le_bytes()).unwrap().unwrap(); }
        let get = t.elapsed() / n;
        let t = Instant::now();
        for i in 0..n { s.get(&(i.wrapping_mul(7919) % n).to_le_bytes()).unwrap().unwrap(); }
        let far = t.elapsed() / n;
        s.put(b"4k", &[1; 4096]).unwrap();
        let t = Instant::now();
        for _ in 0..n { s.get(b"4k").unwrap().unwrap(); }
        let g4 = t.elapsed() / n;
        s.put(b"1m", &vec![1; 1<<20]).unwrap();
        let t = Instant::now();
        for _ in 0..300 { s.get(b"1m").unwrap().unwrap(); }
        let g1m = t.elapsed() / 300;
        let t = Instant::now();
        for _ in 0..n { s.exists(b"4k").unwrap(); }
        let ex = t.elapsed() / n;
        s.close().unwrap();
        let t=Instant::now();
        let s = rt.open(&p, Access::Read).unwrap();
        let reopen=t.elapsed();
        drop(s);
        println!("{c}: compile {comp:?} open {inst:?} put {put:?} get-warm {get:?} get-spread {far:?} get4k {g4:?} get1m {g1m:?} exists {ex:?} reopen100k {reopen:?}");
    }
}
