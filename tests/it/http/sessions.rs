//! From the invitation to the last session's end.

use super::raw::Answer;
use super::site::Site;
use super::staff::Person;
use avatar::automation::sign_in::{self, Own, SignInError, change_password, code_now};
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use serde_json::{Value, json};

const PASSWORD: &str = "harbour ferry at seven";

/// Signs in as a program does.
async fn sign_in_with(site: &Site, email: &str, password: &str, code: Option<&str>) -> Answer {
    site.post("", "/api/session", &json!({ "email": email, "password": password, "code": code, "bearer": true })).await
}

fn token(answer: &Answer) -> String {
    answer.json()["token"].as_str().unwrap_or_else(|| panic!("no token in {answer:?}")).to_owned()
}

/// The authenticator app: what it was told, and the code that it shows.
fn app(enrolling: &Value) -> Vec<u8> {
    let secret = enrolling["secret"].as_str().expect("a secret");
    let (mut bytes, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for c in secret.bytes() {
        let value = if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        (held, bits) = ((held << 5) | u32::from(value), bits + 5);
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    bytes
}

/// An admin who invites Kim; answers with the admin's session and Kim's one-time code and id.
async fn invited(site: &Site, role: &str) -> (String, String, String) {
    let admin = Person::add(site, Role::Admin).await.session(site).await;
    let body = json!({ "email": "Kim@Clinic.example", "name": "Kim", "role": role });
    let answer = site.post(&admin, "/api/users", &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let answer = answer.json();
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    (admin, text(&answer["one_time_code"]), text(&answer["user"]["id"]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_invited_chooses_a_password_and_works() {
    for site in Site::of_each_database().await {
        let (admin, code, id) = invited(&site, "front_desk").await;
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "", None).await.status, 401, "there is no password yet");
        let typed = code.to_uppercase().replace('-', " ");
        let first = site.post("", "/api/session", &json!({ "one_time_code": typed, "bearer": true })).await;
        assert_eq!((first.status, &first.json()["pending"]), (201, &json!("password")), "{first:?}");
        let first = token(&first);
        assert_eq!(site.get(&first, "/api/tasks").await.status, 403, "a password is chosen first");
        let again = site.post("", "/api/session", &json!({ "one_time_code": code, "bearer": true })).await;
        assert_eq!(again.status, 401, "the code counts once");
        for weak in ["short", "kim-kim-kim-kim-kim", "passwordpassword", "harbourimaging2026"] {
            let refused = site.post(&first, "/api/session/password", &json!({ "new_password": weak })).await;
            assert_eq!((refused.status, &refused.json()["errors"][0]["pointer"]), (422, &json!("/body/new_password")), "{weak}");
        }
        let chosen = site.post(&first, "/api/session/password", &json!({ "new_password": PASSWORD })).await;
        assert_eq!((chosen.status, &chosen.json()["pending"]), (200, &Value::Null), "{chosen:?}");
        assert_eq!(site.get(&token(&chosen), "/api/tasks").await.status, 200);
        assert_eq!(site.get(&first, "/api/session").await.status, 401, "the old token counts no more");
        assert_eq!(sign_in_with(&site, " KIM@clinic.example", PASSWORD, None).await.status, 201);
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "harbour ferry at eight", None).await.status, 401);

        let log = site.get(&admin, "/api/audit?limit=7").await.json();
        let rows = log["items"].as_array().expect("rows");
        let said: Vec<_> = rows.iter().map(|row| row["action"].as_str().expect("an action")).collect();
        let (signed_in, refused) = ("session.signed_in", "session.refused");
        let expected = [refused, signed_in, "user.password_changed", refused, signed_in, refused, "user.added"];
        assert_eq!(said, expected, "newest first");
        assert_eq!((&rows[0]["object_id"], &rows[0]["ip"]), (&json!(id), &json!("127.0.0.1")));
        assert_eq!(rows[1]["actor"], json!(format!("staff:{id}")));
        assert!(!log.to_string().to_lowercase().contains("kim"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_changes_rules_sets_up_a_second_factor_first() {
    for site in Site::of_each_database().await {
        let (_, code, _) = invited(&site, "ops").await;
        let first = token(&site.post("", "/api/session", &json!({ "one_time_code": code, "bearer": true })).await);
        let chosen = site.post(&first, "/api/session/password", &json!({ "new_password": "k9#Wq2!vBt" })).await;
        assert_eq!(chosen.json()["pending"], json!("second_factor"), "eight characters are enough beside one");
        let session = token(&chosen);
        assert_eq!(site.get(&session, "/api/rules").await.status, 403);
        let enrolling = site.post(&session, "/api/session/mfa", &json!({})).await.json();
        let secret = app(&enrolling);
        assert!(
            enrolling["uri"]
                .as_str()
                .is_some_and(|uri| uri.starts_with("otpauth://totp/Harbour%20Imaging:kim%40clinic.example?"))
        );
        let wrong = site.post(&session, "/api/session/mfa/confirm", &json!({ "code": "000000" })).await;
        assert_eq!(wrong.status, 401);
        let shown = code_now(&secret, site.test.now());
        let confirmed = site.post(&session, "/api/session/mfa/confirm", &json!({ "code": shown })).await;
        let recovery = confirmed.json()["recovery_codes"].as_array().expect("codes").clone();
        assert_eq!((confirmed.status, recovery.len()), (200, 10));
        assert_eq!(site.get(&token(&confirmed), "/api/rules").await.status, 200);

        let without = sign_in_with(&site, "kim@clinic.example", "k9#Wq2!vBt", None).await;
        assert_eq!(without.status, 401);
        assert!(without.body.contains("Send `code`"), "{without:?}");
        let replayed = sign_in_with(&site, "kim@clinic.example", "k9#Wq2!vBt", Some(&shown)).await;
        assert_eq!(replayed.status, 401, "a code counts once");
        site.test.clock.advance(Millis::seconds(30));
        let next = code_now(&secret, site.test.now());
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "k9#Wq2!vBt", Some(&next)).await.status, 201);
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "k9#Wq2!vBt", Some(&next)).await.status, 401);
        let lost_phone = recovery[3].as_str().expect("a code");
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "k9#Wq2!vBt", Some(lost_phone)).await.status, 201);
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "k9#Wq2!vBt", Some(lost_phone)).await.status, 401, "once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_after_half_an_hour_of_nothing_and_after_a_shift_whatever_happens() {
    let site = Site::open().await;
    let person = Person::add(&site, Role::FrontDesk).await;
    let idle = person.session(&site).await;
    site.test.clock.advance(Millis::minutes(29));
    assert_eq!(site.get(&idle, "/api/tasks").await.status, 200);
    site.test.clock.advance(Millis::minutes(31));
    assert_eq!(site.get(&idle, "/api/tasks").await.status, 401);

    let busy = person.session(&site).await;
    for _ in 0..11 * 3 {
        site.test.clock.advance(Millis::minutes(20));
        let answer = site.get(&busy, "/api/session").await;
        assert_eq!(answer.status, 200);
        // The use is recorded beside the answer.
        super::raw::within(async { while last_seen(&site, &busy).await != site.test.now().0 {} }).await;
    }
    site.test.clock.advance(Millis::minutes(29));
    assert_eq!(site.get(&busy, "/api/tasks").await.status, 200);
    super::raw::within(async { while last_seen(&site, &busy).await != site.test.now().0 {} }).await;
    site.test.clock.advance(Millis::minutes(29));
    assert_eq!(site.get(&busy, "/api/session").await.status, 200);
    site.test.clock.advance(Millis::minutes(2));
    assert_eq!(site.get(&busy, "/api/tasks").await.status, 401, "twelve hours are over");
}

async fn last_seen(site: &Site, token: &str) -> i64 {
    let hash = avatar::automation::staff::hash_secret(token);
    let found = site.context.store.read(move |conn| avatar::store::staff::find_session(conn, &hash)).await.unwrap();
    found.expect("a session").last_seen_at.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_sessions_are_seen_and_ended() {
    let site = Site::open().await;
    let (kim, lee) = (Person::add(&site, Role::FrontDesk).await, Person::add(&site, Role::FrontDesk).await);
    let (here, phone, lees) = (kim.session(&site).await, kim.session(&site).await, lee.session(&site).await);
    let list = site.get(&here, "/api/session/all").await.json();
    assert_eq!(list["total"], 2);
    let items = list["items"].as_array().unwrap();
    let other = items.iter().find(|s| s["current"] == false).unwrap()["id"].as_str().unwrap();
    assert_eq!(site.delete(&lees, &format!("/api/session/{other}")).await.status, 404, "not Lee's");
    assert_eq!(site.delete(&here, &format!("/api/session/{other}")).await.status, 204);
    assert_eq!(site.get(&phone, "/api/tasks").await.status, 401);
    let more = kim.session(&site).await;
    assert_eq!(site.delete(&here, "/api/session/all").await.json(), json!({ "ended": 1 }));
    assert_eq!((site.get(&more, "/api/tasks").await.status, site.get(&here, "/api/tasks").await.status), (401, 200));
    let out = site.delete(&here, "/api/session").await;
    assert_eq!((out.status, out.header("clear-site-data")), (204, Some("\"cache\", \"cookies\", \"storage\"")));
    assert_eq!((site.get(&here, "/api/tasks").await.status, site.get(&lees, "/api/tasks").await.status), (401, 200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_role_and_the_end_of_access_count_from_the_next_request() {
    for site in Site::of_each_database().await {
        let (admin, _, id) = invited(&site, "manager").await;
        let kim = Person { id: id.clone() };
        let session = kim.session(&site).await;
        assert_eq!(site.get(&session, "/api/events").await.status, 200);
        let path = format!("/api/users/{id}");
        let shown = site.get(&admin, &path).await;
        let tag = shown.header("etag").expect("a version").to_owned();
        assert_eq!(site.send("PATCH", &path, &[("Authorization", &format!("Bearer {admin}"))], "{}").await.status, 428);
        let changed = site.patch(&admin, &path, &tag, &json!({ "role": "front_desk" })).await;
        assert_eq!((changed.status, &changed.json()["role"]), (200, &json!("front_desk")));
        assert_eq!(site.get(&session, "/api/events").await.status, 403);
        let stale = site.patch(&admin, &path, &tag, &json!({ "name": "Kimberley" })).await;
        assert_eq!((stale.status, &stale.json()["current"]["role"]), (412, &json!("front_desk")));
        let tag = changed.header("etag").unwrap();
        let disabled = site.patch(&admin, &path, tag, &json!({ "active": false })).await;
        assert_eq!(disabled.status, 200, "{disabled:?}");
        assert_eq!(site.get(&session, "/api/session").await.status, 401);
        let wrong = site.patch(&admin, &path, disabled.header("etag").unwrap(), &json!({ "role": "king" })).await;
        assert_eq!((wrong.status, &wrong.json()["errors"][0]["pointer"]), (422, &json!("/body/role")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_admin_stays() {
    for site in Site::of_each_database().await {
        let (one, two) = (Person::add(&site, Role::Admin).await, Person::add(&site, Role::Admin).await);
        let (first, second) = (one.session(&site).await, two.session(&site).await);
        let change = json!({ "active": false });
        let path = |person: &Person| format!("/api/users/{}", person.id);
        let (path_one, path_two) = (path(&one), path(&two));
        // Both at once, each the other.
        let (a, b) =
            tokio::join!(site.patch(&first, &path_two, "\"1\"", &change), site.patch(&second, &path_one, "\"1\"", &change));
        let mut statuses = [a.status, b.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [200, 409 | 401]), "{statuses:?}");
        let (left, path) = if a.status == 200 { (&first, path_one) } else { (&second, path_two) };
        for change in [change, json!({ "role": "ops" })] {
            assert_eq!(site.patch(left, &path, "\"1\"", &change).await.status, 409);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_forgot_their_password_is_invited_again() {
    let site = Site::open().await;
    let (admin, code, id) = invited(&site, "front_desk").await;
    let first = token(&site.post("", "/api/session", &json!({ "one_time_code": code, "bearer": true })).await);
    let session = token(&site.post(&first, "/api/session/password", &json!({ "new_password": PASSWORD })).await);
    let again = site.post(&admin, &format!("/api/users/{id}/invite"), &json!({})).await;
    assert_eq!((again.status, &again.json()["user"]["has_password"]), (200, &json!(false)));
    assert_eq!(site.get(&session, "/api/tasks").await.status, 401, "they are signed out everywhere");
    assert_eq!(sign_in_with(&site, "kim@clinic.example", PASSWORD, None).await.status, 401);
    site.test.clock.advance(Millis::hours(72));
    let late = json!({ "one_time_code": again.json()["one_time_code"], "bearer": true });
    assert_eq!(site.post("", "/api/session", &late).await.status, 401, "a code ends after three days");
}

/// Passwords are looked at before anything is written: whoever loses their session or their password meanwhile gets nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_proved_before_an_invitation_is_worth_nothing_after_it() {
    for site in Site::of_each_database().await {
        let (admin, code, id) = invited(&site, "front_desk").await;
        let first = token(&site.post("", "/api/session", &json!({ "one_time_code": code, "bearer": true })).await);
        let chosen = token(&site.post(&first, "/api/session/password", &json!({ "new_password": PASSWORD })).await);
        let (store, clock) = (&site.context.store, &site.context.clock);
        let door = &site.context.access.door;
        let signed_in = sign_in::find(store, &chosen, door.limits, clock.now()).await.unwrap().unwrap();
        let own = Own { store, clock, door, signed_in: &signed_in, ip: None };
        let again = site.post(&admin, &format!("/api/users/{id}/invite"), &json!({})).await.json();
        let late = change_password(own, Some(PASSWORD), "harbour ferry at nine", "Clinic").await;
        assert!(matches!(late, Err(SignInError::Ended)), "{late:?}");
        assert_eq!(sign_in_with(&site, "kim@clinic.example", "harbour ferry at nine", None).await.status, 401);
        let code = again["one_time_code"].as_str().unwrap();
        let back = site.post("", "/api/session", &json!({ "one_time_code": code, "bearer": true })).await;
        assert_eq!(back.status, 201, "the admin's code counts: {back:?}");
        let ended = token(&back);
        let signed_in = sign_in::find(store, &ended, door.limits, clock.now()).await.unwrap().unwrap();
        let own = Own { store, clock, door, signed_in: &signed_in, ip: None };
        sign_in::revoke_others(store, clock, "cli".into(), &id, None).await.unwrap();
        let late = change_password(own, None, PASSWORD, "Clinic").await;
        assert!(matches!(late, Err(SignInError::Ended)), "a session that was ended does not come back: {late:?}");
    }
}
