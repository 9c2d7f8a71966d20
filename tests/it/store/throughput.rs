//! How many deliveries per second are on stable storage. Run by hand: `cargo test --test it throughput -- --ignored --nocapture`.

use super::TestStore;
use super::intake::{block_on, delivery};
use std::time::Instant;

const CALLERS: usize = 64;
const EACH: usize = 300;

#[test]
#[ignore = "a measurement, not a promise"]
#[expect(clippy::print_stdout, reason = "the figure is the result")]
fn appends_per_second() {
    for t in [Some(TestStore::sqlite()), TestStore::postgres()].into_iter().flatten() {
        let begin = Instant::now();
        block_on(async {
            let callers: Vec<_> = (0..CALLERS)
                .map(|caller| {
                    let (store, now) = (t.store.clone(), t.now());
                    tokio::spawn(async move {
                        for n in 0..EACH {
                            let lane = format!("contact:{caller}-{n}");
                            let mut d = delivery(&format!("{caller}-{n}"), Some(&lane));
                            d.raw_payload = "x".repeat(650);
                            store.append(d, now).await.unwrap();
                        }
                    })
                })
                .collect();
            for caller in callers {
                caller.await.unwrap();
            }
        });
        let rate = (CALLERS * EACH) as f64 / begin.elapsed().as_secs_f64();
        println!("{}: {rate:.0} appends/s at {CALLERS} callers", if t.store.is_postgres() { "PostgreSQL" } else { "SQLite" });
    }
}
