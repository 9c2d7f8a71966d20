//! Migrations, the database file, and what makes a database unfit.

use super::TestStore;
use avatar::store::{Store, StoreError, StoreOptions};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

#[test]
fn migrations_can_be_undone_and_done_again() {
    for t in [Some(TestStore::sqlite()), TestStore::postgres()].into_iter().flatten() {
        let before = t.store.read_now(avatar::store::describe_schema).unwrap();
        assert!(before.len() > 40, "tables and indexes: {before:?}");
        let all = t.store.migration_status().unwrap().len();
        assert_eq!(t.store.migrate().unwrap(), [""; 0]);
        assert_eq!(t.store.revert_all().unwrap().len(), all);
        assert!(t.store.migration_status().unwrap().iter().all(|(_, applied)| !applied));
        assert_eq!(t.store.read_now(avatar::store::describe_schema).unwrap(), [""; 0]);
        assert_eq!(t.store.migrate().unwrap().len(), all);
        assert_eq!(t.store.read_now(avatar::store::describe_schema).unwrap(), before);
    }
}

#[test]
fn nodes_that_start_together_migrate_once() {
    for t in [Some(TestStore::sqlite()), TestStore::postgres()].into_iter().flatten() {
        t.store.revert_all().unwrap();
        let applied: usize = std::thread::scope(|scope| {
            let nodes: Vec<_> = (0..4).map(|_| scope.spawn(|| t.another_node().migrate().unwrap().len())).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).sum()
        });
        assert_eq!(applied, t.store.migration_status().unwrap().len());
    }
}

#[test]
fn the_database_of_a_newer_program_is_refused() {
    for t in [Some(TestStore::sqlite()), TestStore::postgres()].into_iter().flatten() {
        by_hand(&t, "INSERT INTO __diesel_schema_migrations (version) VALUES ('9999')");
        let refused = Store::open(StoreOptions::new(&t.url), t.clock.clone()).err();
        assert!(matches!(&refused, Some(StoreError::Unfit(reason)) if reason.contains("9999")), "{refused:?}");
        assert!(matches!(t.store.migrate(), Err(StoreError::Unfit(_))));
    }
}

#[test]
fn the_database_file_is_for_its_owner_only() {
    let t = TestStore::sqlite();
    let file = t.url.strip_prefix("sqlite://").unwrap();
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(file).parent().unwrap().to_str().unwrap()), 0o700);
    for suffix in ["", "-wal", "-shm"] {
        assert_eq!(mode(&format!("{file}{suffix}")), 0o600, "{suffix}");
    }
}

/// A statement that the store itself does not know.
pub fn by_hand(t: &TestStore, statement: &str) {
    match t.url.strip_prefix("sqlite://") {
        Some(path) => SqliteConnection::establish(path).unwrap().batch_execute(statement).unwrap(),
        None => PgConnection::establish(&t.url).unwrap().batch_execute(statement).unwrap(),
    }
}

/// A server that ends all connections: what was acknowledged is there, and work goes on by itself.
#[test]
fn lost_connections_are_opened_again() {
    let Some(t) = TestStore::postgres() else { return };
    for round in 0..3 {
        let end_all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        by_hand(&t, end_all);
        super::intake::block_on(t.store.append(super::intake::delivery(&round.to_string(), None), t.now())).unwrap();
        assert_eq!(super::intake::ready(&t), round + 1);
    }
}

/// A disk that is full: writes are refused, nothing is acknowledged that is not there, and it goes on when there is room.
#[test]
fn a_full_disk_refuses_and_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |args: &[&str]| Command::new("mount").args(args).output().is_ok_and(|out| out.status.success());
    let path = folder.path().to_str().unwrap().to_owned();
    if !mount(&["-t", "tmpfs", "-o", "size=3m", "tmpfs", &path]) {
        return;
    }
    let ballast = format!("{path}/ballast");
    {
        let t = TestStore::at(format!("sqlite://{path}/avatar.db"));
        std::fs::write(&ballast, vec![0u8; 1_500_000]).unwrap();
        let mut acknowledged = 0;
        let refused = loop {
            let mut delivery = super::intake::delivery(&format!("k{acknowledged}"), None);
            delivery.raw_payload = "x".repeat(20_000);
            match super::intake::block_on(t.store.append(delivery, t.now())) {
                Ok(_) => acknowledged += 1,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, StoreError::Unavailable { .. }), "{refused:?}");
        std::fs::remove_file(&ballast).unwrap();
        let again = super::intake::delivery("after", None);
        super::intake::block_on(t.store.append(again, t.now())).unwrap();
        assert_eq!(super::intake::ready(&t), acknowledged + 1);
    }
    Command::new("umount").arg(&path).status().unwrap();
}
