//! Whatever is sent, and whatever the machine does: a clear answer, and nothing lost.

use crate::support::client::{self, Answer};
use crate::support::clinic::{Clinic, Installation, MANYCHAT_SECRET, MONDAY_9AM, SMS_TOKEN, signed};
use crate::support::wix::{Patient, Visit, WixEvent};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

on_both_engines!(garbage_is_refused_and_leaves_no_trace, an_event_that_nobody_knows_is_recorded_and_does_nothing);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
/// Operating again after this long without a restart.
const RECOVERY_MAX: Duration = Duration::from_secs(5);
/// Deliveries after which a full disk must have shown.
const DELIVERIES_MAX: usize = 2_000;

fn created(number: usize) -> WixEvent {
    let patient =
        Patient::new(&format!("wix-{number}"), &format!("Kim{number}"), "Lee", &format!("04{:08}", 30_000_000 + number));
    Visit::new(&patient, &format!("visit-{number}"), NEXT_MONDAY).created()
}

/// Path, headers, body, and the status of the answer.
type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u8], u16);

fn garbage_is_refused_and_leaves_no_trace(clinic: &Clinic) {
    let good = signed(&created(1), clinic.now());
    let forged = format!("{}AAAA", &good[..good.len() - 4]);
    let large = "x".repeat(10 * 1024 * 1024);
    let manychat = [("X-Webhook-Token", MANYCHAT_SECRET), ("Content-Type", "application/json")];
    let plain = [("X-Webhook-Token", MANYCHAT_SECRET), ("Content-Type", "text/plain")];
    let wrong = [("X-Webhook-Token", "guess"), ("Content-Type", "application/json")];
    let texts = format!("/webhooks/sms/inbound/{SMS_TOKEN}");
    let cases: [Case; 9] = [
        ("/webhooks/wix/bookings", &[], forged.as_bytes(), 401),
        ("/webhooks/wix/bookings", &[], b"\x00\xff\xfe not a token", 401),
        ("/webhooks/wix/bookings", &[], b"", 401),
        ("/webhooks/wix/bookings", &[], large.as_bytes(), 413),
        ("/webhooks/manychat", &manychat, large.as_bytes(), 413),
        ("/webhooks/manychat", &wrong, b"{}", 401),
        ("/webhooks/manychat", &plain, b"{}", 415),
        ("/webhooks/sms/inbound/guess", &[("Content-Type", "application/json")], b"{}", 401),
        ("/webhooks/nobody", &[], b"{}", 404),
    ];
    for (path, headers, body, status) in cases {
        let answer = clinic.post(path, headers, body);
        assert_eq!(answer.status, status, "{path} {headers:?}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{answer:?}");
    }
    assert_eq!(clinic.count("event_log"), 0);
    // Rightly signed but not understood: kept for a person, never thrown away.
    assert_eq!(clinic.post("/webhooks/manychat", &manychat, b"[1, 2").status, 200);
    assert_eq!(clinic.post(&texts, &[("Content-Type", "application/json")], b"{\"a\": 1}").status, 200);
    clinic.settle();
    assert_eq!(clinic.words("SELECT DISTINCT status AS value FROM event_log"), ["quarantined"]);
    assert_eq!(clinic.tasks().len(), 2);
    assert_eq!(clinic.post("/webhooks/wix/bookings", &[], good.as_bytes()).status, 200, "the server is well");
    clinic.settle();
    assert_eq!(clinic.booking("visit-1"), "scheduled Mon 11-30 10:30");
}

fn an_event_that_nobody_knows_is_recorded_and_does_nothing(clinic: &Clinic) {
    let mut event = created(1);
    event.event_type = "wix.bookings.v2.booking_teleported".into();
    event.inner["slug"] = "teleported".into();
    clinic.wix(&event);
    let mut event = created(2);
    event.event_type = "wix.contacts.v4.contact_created".into();
    event.inner["entityFqdn"] = "wix.contacts.v4.contact".into();
    clinic.wix(&event);
    let log = clinic.words("SELECT event_type || ' ' || status AS value FROM event_log");
    assert_eq!(log, ["wix_other processed", "wix_other processed"]);
    assert_eq!((clinic.count("contacts"), clinic.count("bookings"), clinic.count("tasks")), (0, 0, 0));
}

#[test]
fn a_locked_database_is_503_and_nothing_acknowledged_is_lost() {
    let clinic = Clinic::sqlite();
    clinic.wix(&created(1));
    let mut other = SqliteConnection::establish(clinic.url.strip_prefix("sqlite://").unwrap()).unwrap();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let answer = clinic.post_wix(&created(2));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{answer:?}");
    other.batch_execute("ROLLBACK").unwrap();
    clinic.until(RECOVERY_MAX, "it takes events again", |c| c.post_wix(&created(2)).status == 200);
    clinic.settle();
    assert_eq!(clinic.booking("visit-2"), "scheduled Mon 11-30 10:30");
    clinic.check();
}

#[test]
fn a_full_disk_is_503_and_recovers_when_there_is_room() {
    let Some(disk) = SmallDisk::mounted() else { return };
    let folder = tempfile::tempdir_in(&disk.0).unwrap();
    let url = format!("sqlite://{}/avatar.db", folder.path().display());
    let clinic = Clinic::open(Installation::with(folder, url), MONDAY_9AM);
    clinic.wix(&created(0));
    let ballast = disk.fill();
    let mut acked = BTreeSet::from([0]);
    let refused = (1..DELIVERIES_MAX).find_map(|number| {
        let answer = clinic.post_wix(&created(number));
        if answer.status == 200 {
            acked.insert(number);
            return None;
        }
        Some((number, answer))
    });
    let (number, answer) = refused.unwrap_or_else(|| panic!("{} deliveries on a full disk", acked.len()));
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")), "{answer:?}");
    let ready: Answer = client::send(clinic.address, "GET", "/health", &[], &[]).unwrap();
    assert_eq!(ready.status, 200, "it is alive all the same");
    std::fs::remove_file(ballast).unwrap();
    clinic.until(RECOVERY_MAX, "it takes events again", |c| c.post_wix(&created(number)).status == 200);
    acked.insert(number);
    clinic.settle();
    for number in &acked {
        assert_eq!(clinic.booking(&format!("visit-{number}")), "scheduled Mon 11-30 10:30", "{number}");
    }
    assert_eq!(clinic.count("bookings"), acked.len() as i64);
    clinic.check();
    drop(clinic);
}

/// A file system of a few megabytes, in memory; gone with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None`, with a note, when this user may not mount.
    fn mounted() -> Option<Self> {
        let path = std::env::temp_dir().join(format!("avatar-small-disk-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=8m", "tmpfs"]).arg(&path).output();
        if mount.is_ok_and(|output| output.status.success()) {
            return Some(Self(path));
        }
        std::fs::remove_dir(&path).unwrap();
        writeln!(std::io::stderr(), "SKIPPED: the full disk needs the right to mount a tmpfs").unwrap();
        None
    }

    /// Takes all the room that is left.
    fn fill(&self) -> PathBuf {
        let path = Path::new(&self.0).join("ballast");
        let mut file = std::fs::File::create(&path).unwrap();
        for size in [65_536, 4_096, 512] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}
