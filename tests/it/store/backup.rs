//! Copies of the embedded database, made under load, put back, and checked.

use super::TestStore;
use avatar::domain::contact::Note;
use avatar::domain::ids::new_id;
use avatar::store::backup::{CopyError, examine, restore};
use avatar::store::{Store, StoreOptions, StoreResult, history, invariants};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Rows between which copies are made.
const NOTES: usize = 400;

fn write_note(t: &TestStore, number: usize) -> StoreResult<()> {
    let now = t.now();
    let note = Note {
        id: new_id(now),
        contact_id: Some("c-1".into()),
        booking_id: None,
        body: number.to_string(),
        author: "key:test".into(),
        run_id: None,
        created_at: now,
    };
    t.store.write_now(move |tx| history::insert_notes(tx, &[&note]))
}

fn notes_of(store: &Store) -> Vec<usize> {
    let notes = store.read_now(|conn| history::list_notes(conn, "c-1", 1_000_000)).unwrap();
    let mut numbers: Vec<usize> = notes.iter().map(|note| note.body.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_copy_made_while_others_write_is_as_the_database_was_at_one_moment() {
    let t = Arc::new(TestStore::sqlite());
    let folder = tempfile::tempdir().unwrap();
    let (done, written) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let writer = std::thread::spawn({
        let (t, done, written) = (Arc::clone(&t), Arc::clone(&done), Arc::clone(&written));
        move || {
            for number in 0.. {
                if done.load(Ordering::SeqCst) && number >= NOTES {
                    return;
                }
                write_note(&t, number).unwrap();
                written.store(number + 1, Ordering::SeqCst);
            }
        }
    });
    for round in 0..5 {
        let (before, to) = (written.load(Ordering::SeqCst), folder.path().join(format!("{round}.db")));
        let copy = t.store.copy_to(&to).unwrap();
        let after = written.load(Ordering::SeqCst) + 1;
        assert_eq!((copy.path.as_path(), mode(&to)), (to.as_path(), 0o600));
        let restored = folder.path().join(format!("restored-{round}/avatar.db"));
        restore(&to, &restored, "before").unwrap();
        let store = Store::open(StoreOptions::new(format!("sqlite://{}", restored.display())), t.clock.clone()).unwrap();
        let numbers = notes_of(&store);
        assert!((before..=after).contains(&numbers.len()), "{before} ≤ {} ≤ {after}", numbers.len());
        assert_eq!(numbers, (0..numbers.len()).collect::<Vec<_>>(), "no gap");
        assert!(store.read_now(invariants::check).unwrap().is_empty());
    }
    done.store(true, Ordering::SeqCst);
    writer.join().unwrap();
    assert_eq!(
        files(folder.path()).iter().filter(|name| std::path::Path::new(name).extension().is_some_and(|end| end == "db")).count(),
        5
    );
    assert!(
        files(folder.path()).iter().all(|name| !name.contains("unfinished") && !name.contains("-wal")),
        "{:?}",
        files(folder.path())
    );
}

fn files(folder: &Path) -> Vec<String> {
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn a_copy_never_takes_the_place_of_another_and_a_broken_one_is_not_put_back() {
    let t = TestStore::sqlite();
    write_note(&t, 0).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("copy.db");
    let copy = t.store.copy_to(&to).unwrap();
    assert!(matches!(t.store.copy_to(&to), Err(CopyError::Exists(_))));
    assert_eq!(examine(&to).unwrap(), copy);

    let database = folder.path().join("avatar.db");
    std::fs::write(&database, "what was there").unwrap();
    let sound = std::fs::read(&to).unwrap();
    let mut torn = sound.clone();
    torn.truncate(sound.len() / 2);
    let mut flipped = sound.clone();
    let page = sound.len() / 4096 / 2 * 4096;
    flipped[page..page + 4096].fill(0x5a);
    for (name, bytes) in
        [("torn", torn), ("flipped", flipped), ("text", b"not a database at all".to_vec()), ("empty", Vec::new())]
    {
        let bad = folder.path().join(name);
        std::fs::write(&bad, bytes).unwrap();
        assert!(restore(&bad, &database, "before").is_err(), "{name}");
        assert_eq!(std::fs::read(&database).unwrap(), b"what was there", "{name}");
    }
    let (_, kept) = restore(&to, &database, "before").unwrap();
    assert_eq!(std::fs::read(kept.unwrap()).unwrap(), b"what was there");
    assert_eq!(mode(&database), 0o600);
}

#[test]
fn a_database_that_others_cannot_read() {
    // The usual umask of a server.
    let t = TestStore::sqlite();
    write_note(&t, 0).unwrap();
    let path = Path::new(t.url.strip_prefix("sqlite://").unwrap());
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    for end in ["", "-wal", "-shm"] {
        assert_eq!(mode(Path::new(&format!("{}{end}", path.display()))), 0o600, "{end}");
    }
}

#[test]
fn postgresql_makes_its_own() {
    let Some(t) = TestStore::postgres() else { return };
    assert!(matches!(t.store.copy_to(Path::new("/nowhere/copy.db")), Err(CopyError::Postgres)));
}
