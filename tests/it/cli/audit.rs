//! `avatar admin`, `avatar token` and `avatar audit` as a shell sees them.

use super::{avatar, text};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tempfile::TempDir;

struct Database {
    _folder: TempDir,
    url: String,
}

impl Database {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = Self { url: format!("sqlite://{}/avatar.db", folder.path().display()), _folder: folder };
        database.run(&["db", "migrate"], 0);
        database
    }

    /// What is on stdout.
    fn run(&self, arguments: &[&str], exit: i32) -> String {
        let output = avatar(arguments, &[("DATABASE_URL", &self.url)]);
        assert_eq!(output.status.code(), Some(exit), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }
}

#[test]
fn what_is_done_at_the_machine_is_in_the_log_and_a_change_of_it_is_found() {
    let database = Database::new();
    let code = database.run(&["admin", "create", "ana@clinic.example", "--name", "Ana Lima"], 0);
    assert_eq!(code.len(), "xxxx-".len() * 8 - 1, "{code}");
    database.run(&["admin", "create", "ana@clinic.example", "--name", "Ana Lima"], 2);
    let key =
        database.run(&["token", "create", "--name", "reports", "--role", "ops", "--scope", "tasks:read", "--days", "30"], 0);
    database.run(&["token", "create", "--name", "reports", "--role", "ops", "--scope", "tasks:eat"], 2);
    let id = key.split('_').nth(1).unwrap();
    assert!(database.run(&["token", "list"], 0).contains(&format!("✓ {id} reports ops [tasks:read] never used")));
    database.run(&["token", "revoke", id], 0);
    assert!(database.run(&["token", "list"], 0).starts_with('✗'));

    let head = database.run(&["audit", "verify"], 0);
    assert_eq!(head.len(), 64, "{head}");
    let list: serde_json::Value = serde_json::from_str(&database.run(&["audit", "list", "--json"], 0)).unwrap();
    let actions: Vec<_> = list["rows"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
    assert_eq!(actions, ["key.revoked", "key.made", "user.added"]);
    assert!(!list.to_string().contains("Ana"), "{list}");

    let mut file = SqliteConnection::establish(database.url.strip_prefix("sqlite://").unwrap()).unwrap();
    file.batch_execute("DROP TRIGGER audit_log_no_update; UPDATE audit_log SET actor = 'nobody' WHERE seq = 2").unwrap();
    assert_eq!(database.run(&["audit", "verify"], 1), "✗ row 2: it was changed");
    let found: serde_json::Value = serde_json::from_str(&database.run(&["audit", "verify", "--json"], 1)).unwrap();
    assert_eq!(found["broken"], serde_json::json!({ "seq": 2, "reason": "it was changed" }));
    assert!(database.run(&["check"], 1).contains("audit_log_is_whole"));
}
