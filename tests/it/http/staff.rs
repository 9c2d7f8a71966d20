//! Members of staff for tests, signed in without the work of a password.

use super::raw::Answer;
use super::site::Site;
use avatar::automation::staff::{add_user, hash_secret};
use avatar::domain::ids::{fill_random, new_id};
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use avatar::store::staff::{BeganWith, Session, insert_session};

pub struct Person {
    pub id: String,
}

impl Person {
    pub async fn add(site: &Site, role: Role) -> Self {
        let email = format!("{}@clinic.example", new_id(site.test.now()));
        let id = add_user(&site.context.store, &site.context.clock, &email, "Kim", role, None).await.unwrap();
        Self { id }
    }

    /// The token of a session in which everything is proved.
    pub async fn session(&self, site: &Site) -> String {
        self.begin(site, true).await
    }

    /// The token of a session whose second factor is not proved.
    pub async fn unfinished(&self, site: &Site) -> String {
        self.begin(site, false).await
    }

    async fn begin(&self, site: &Site, second_factor: bool) -> String {
        let mut secret = [0u8; 32];
        fill_random(&mut secret);
        let token = format!("avs_{}", hex::encode(secret));
        let now = site.test.now();
        let session = Session {
            id: new_id(now),
            user_id: self.id.clone(),
            token_sha256: hash_secret(&token),
            began_with: BeganWith::Password,
            second_factor,
            created_at: now,
            last_seen_at: now,
            expires_at: now + Millis::hours(12),
            ip: None,
            agent: None,
        };
        site.context.store.write(move |tx| insert_session(tx, &session)).await.unwrap();
        token
    }
}

impl Site {
    pub async fn post(&self, token: &str, path: &str, body: &serde_json::Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        self.send("POST", path, if token.is_empty() { &headers[1..] } else { &headers }, &body.to_string()).await
    }

    pub async fn delete(&self, token: &str, path: &str) -> Answer {
        self.send("DELETE", path, &[("Authorization", &format!("Bearer {token}"))], "").await
    }

    pub async fn patch(&self, token: &str, path: &str, version: &str, body: &serde_json::Value) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json"), ("If-Match", version)];
        self.send("PATCH", path, &headers, &body.to_string()).await
    }
}
