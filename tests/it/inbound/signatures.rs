//! Signatures: published vectors are accepted, and nothing else is.

use super::{HMAC_SECRET, Sent, at, inbound, now, sample, secrets, with_sources};
use avatar::domain::event::SignatureState;
use avatar::domain::time::{Millis, Timestamp};
use avatar::inbound::sign::{Identity, KeyPair, WixSigner, hmac_hex, standard_signature};
use avatar::inbound::{Inbound, Refusal, Secret, Secrets};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

const SIGNED_AT_S: i64 = 1_796_000_000;
const SIGNED_AT: Timestamp = Timestamp(SIGNED_AT_S * 1_000);
const STANDARD_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// One generic source `partner` with one scheme.
fn partner(scheme: &str, secret: &str) -> Inbound {
    let yaml = format!(
        "sources:\n  partner:\n    verify: [{{ {scheme}, secret_env: SECRET }}]\n    content_types: []\n    event: lead_created\n    fields: {{ contact.phone: [/phone] }}\n"
    );
    with_sources(&yaml, &Secrets::new().with("SECRET", secret))
}

fn to_partner(body: &str) -> Sent {
    Sent::to("partner", body).at(SIGNED_AT)
}

fn accepted(sent: &Sent, inbound: &Inbound) {
    assert_eq!(sent.delivered(inbound).signature_state, SignatureState::Valid);
}

#[test]
fn githubs_published_vector() {
    let github = partner("scheme: github", "It's a Secret to Everybody");
    let sent = to_partner("Hello, World!")
        .header("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    accepted(&sent, &github);
    assert_eq!(sent.clone().body("Hello, World?").refused(&github), Refusal::BadSignature);
    let bare = to_partner("Hello, World!")
        .header("X-Hub-Signature-256", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    assert_eq!(bare.refused(&github), Refusal::BadSignature);
}

#[test]
fn slacks_published_vector() {
    let slack = partner("scheme: slack", "8f742231b10e8888abcd99yyyzzz85a5");
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let sent = Sent::to("partner", body)
        .at(Timestamp(1_531_420_618_000))
        .header("X-Slack-Request-Timestamp", "1531420618")
        .header("X-Slack-Signature", "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503");
    accepted(&sent, &slack);
    assert_eq!(sent.at(Timestamp(1_531_420_919_000)).refused(&slack), Refusal::Stale);
}

#[test]
fn the_standard_webhooks_published_vector() {
    let standard = partner("scheme: standard_webhooks", STANDARD_SECRET);
    let sent = Sent::to("partner", r#"{"test": 2432232314}"#)
        .at(Timestamp(1_614_265_330_000))
        .header("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .header("webhook-timestamp", "1614265330")
        .header("webhook-signature", "v1a,AAAA v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    accepted(&sent, &standard);
}

#[test]
fn the_standard_webhooks_published_vector_of_a_public_key() {
    let seed = STANDARD.decode("VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk=").expect("base64");
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key");
    let public = format!("whpk_{}", STANDARD.encode(pair.public_key()));
    let right = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag==";
    let sent = Sent::to("partner", r#"{"test": 2432232314}"#)
        .at(Timestamp(1_614_265_330_000))
        .header("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .header("webhook-timestamp", "1614265330");
    let signed = |signatures: &str| sent.clone().header("webhook-signature", signatures);
    let standard = partner("scheme: standard_webhooks", &public);
    accepted(&signed(right), &standard);
    accepted(&signed(&format!("v1,AAAA v1a,AAAA {right}")), &standard);
    assert_eq!(signed(right).body(r#"{"test": 2432232315}"#).refused(&standard), Refusal::BadSignature);
    assert_eq!(signed(&right.replace("v1a,", "v1,")).refused(&standard), Refusal::BadSignature);
    assert_eq!(signed(right).at(Timestamp(1_614_265_631_000)).refused(&standard), Refusal::Stale);
    assert_eq!(signed(right).refused(&partner("scheme: standard_webhooks", STANDARD_SECRET)), Refusal::BadSignature);
}

#[test]
fn messagemedias_three_digests_also_behind_a_proxy() {
    let vectors: Value = serde_json::from_str(&sample("messagemedia_signature_vectors.json")).expect("vectors");
    let text = |name: &str| vectors[name].as_str().expect("text").to_owned();
    let secret = text("public_key_base64_der_spki");
    let signed_at = at("2026-12-02T00:43:01Z");
    let sent = |digest: &str, path: &str| {
        let signature = vectors["X-Messagemedia-Signature"][digest].as_str().expect("a signature");
        let mut sent = Sent::to("partner", text("body")).at(signed_at).header("Date", text("Date"));
        sent.path = Some(path.to_owned());
        sent.header("X-Messagemedia-Signature", signature)
    };
    let path = "/webhooks/sms/messagemedia";
    let any = partner("scheme: messagemedia_rsa", &secret);
    for digest in ["SHA224", "SHA256", "SHA512"] {
        accepted(&sent(digest, path), &any);
        let inner = partner(&format!("scheme: messagemedia_rsa, public_path: {path}, digest: {digest}"), &secret);
        accepted(&sent(digest, "/internal/sms"), &inner);
        assert_eq!(sent(digest, "/internal/sms").refused(&any), Refusal::BadSignature);
    }
    let only_512 = partner("scheme: messagemedia_rsa, digest: SHA512", &secret);
    assert_eq!(sent("SHA256", path).refused(&only_512), Refusal::BadSignature);
    assert_eq!(sent("SHA256", path).body("{}").refused(&any), Refusal::BadSignature);
    assert_eq!(sent("SHA256", path).at(signed_at + Millis::seconds(301)).refused(&any), Refusal::Stale);
}

/// Signs `body` for `SIGNED_AT` with each scheme whose signature covers a time.
fn timed(scheme: &str, secret: &str, body: &str) -> Sent {
    let sent = to_partner(body);
    let seconds = SIGNED_AT_S.to_string();
    match scheme {
        "scheme: stripe" => {
            let signature = hmac_hex(secret, format!("{seconds}.{body}").as_bytes());
            sent.header("Stripe-Signature", format!("t={seconds},v1={},v1={signature},v0=ff", "0".repeat(64)))
        }
        "scheme: slack" => {
            let signature = hmac_hex(secret, format!("v0:{seconds}:{body}").as_bytes());
            sent.header("X-Slack-Request-Timestamp", seconds).header("X-Slack-Signature", format!("v0={signature}"))
        }
        "scheme: standard_webhooks" => {
            let signature = standard_signature(secret, "msg_1", SIGNED_AT_S, body.as_bytes()).expect("a secret");
            sent.header("webhook-id", "msg_1").header("webhook-timestamp", seconds).header("webhook-signature", signature)
        }
        _ => {
            let signature = hmac_hex(secret, format!("{seconds}.{body}").as_bytes());
            sent.header("X-Time", seconds).header("X-Sig", format!("sha256={signature}"))
        }
    }
}

const TIMED_HMAC: &str =
    "scheme: hmac, header: X-Sig, prefix: 'sha256=', signed_content: '{timestamp}.{body}', timestamp_header: X-Time";

#[test]
fn five_minutes_either_way_and_no_more() {
    for scheme in ["scheme: stripe", "scheme: slack", "scheme: standard_webhooks", TIMED_HMAC] {
        let inbound = partner(scheme, STANDARD_SECRET);
        let sent = timed(scheme, STANDARD_SECRET, r#"{"phone":"0491570006"}"#);
        for seconds in [-299, 0, 299, 300] {
            accepted(&sent.clone().at(SIGNED_AT + Millis::seconds(seconds)), &inbound);
        }
        for seconds in [-301, 301, 86_400] {
            assert_eq!(
                sent.clone().at(SIGNED_AT + Millis::seconds(seconds)).refused(&inbound),
                Refusal::Stale,
                "{scheme} {seconds}"
            );
        }
        assert_eq!(to_partner("{}").refused(&inbound), Refusal::MissingSignature, "{scheme}");
    }
}

#[test]
fn sixteen_signatures_of_a_list_are_tried_and_no_more() {
    let inbound = partner("scheme: standard_webhooks", STANDARD_SECRET);
    let right = standard_signature(STANDARD_SECRET, "msg_1", SIGNED_AT_S, b"{}").expect("a secret");
    let sent = |wrong: usize| {
        let list = format!("{}{right}", "v1,AAAA ".repeat(wrong));
        let sent = to_partner("{}").header("webhook-id", "msg_1").header("webhook-timestamp", SIGNED_AT_S.to_string());
        sent.header("webhook-signature", list)
    };
    accepted(&sent(15), &inbound);
    assert_eq!(sent(16).refused(&inbound), Refusal::BadSignature);
}

#[test]
fn base64_signatures_over_a_template() {
    let content = "signed_content: 'POST:{path}:{body}'";
    let inbound = partner(&format!("scheme: hmac, header: X-Sig, encoding: base64, {content}"), HMAC_SECRET);
    let mac = hex::decode(hmac_hex(HMAC_SECRET, b"POST:/webhooks/partner:{}")).expect("hex");
    accepted(&to_partner("{}").header("x-sig", STANDARD.encode(mac)), &inbound);
    let body_only = hex::decode(hmac_hex(HMAC_SECRET, b"{}")).expect("hex");
    assert_eq!(to_partner("{}").header("x-sig", STANDARD.encode(body_only)).refused(&inbound), Refusal::BadSignature);
}

#[test]
fn the_same_document_written_differently_is_not_what_was_signed() {
    let body = sample("wix_plain_seed.json");
    let signature = hmac_hex(HMAC_SECRET, body.as_bytes());
    let value: Value = serde_json::from_str(&body).expect("JSON");
    let escaped = body.replace("Jane", "\\u004aane");
    for rewritten in [value.to_string(), serde_json::to_string_pretty(&value).expect("JSON"), format!("{body} "), escaped] {
        assert_eq!(serde_json::from_str::<Value>(&rewritten).expect("JSON"), value);
        let sent = Sent::to("wix", rewritten).header("X-Wix-Webhook-Signature", signature.as_str());
        assert_eq!(sent.refused(&inbound()), Refusal::BadSignature);
    }
}

#[test]
fn three_keys_are_in_force_and_the_expired_one_is_not() {
    let mut secrets = Secrets::new().with("SECRET", "third");
    secrets.add("SECRET", Secret::until("second", SIGNED_AT));
    secrets.add_list("SECRET", "first until 2030-01-01T00:00:00Z, gone until 2020-01-01T00:00:00Z");
    let yaml = "sources:\n  partner:\n    verify: [{ scheme: github, secret_env: SECRET }]\n    event: lead_created\n";
    let inbound = with_sources(yaml, &secrets);
    let sent = |secret: &str| to_partner("{}").header("X-Hub-Signature-256", format!("sha256={}", hmac_hex(secret, b"{}")));
    for secret in ["first", "second", "third"] {
        accepted(&sent(secret), &inbound);
    }
    assert_eq!(sent("gone").refused(&inbound), Refusal::BadSignature);
    assert_eq!(sent("second").at(SIGNED_AT + Millis(1)).refused(&inbound), Refusal::BadSignature);
}

fn jwt(header: &Value, claims: &str, signature: &[u8]) -> String {
    format!(
        "{}.{}.{}",
        URL_SAFE_NO_PAD.encode(header.to_string()),
        URL_SAFE_NO_PAD.encode(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

#[test]
fn a_jwt_without_rs256_is_refused_whatever_it_is_signed_with() {
    let claims = json!({ "data": "{}" }).to_string();
    let public = sample("wix_test_public.pem");
    let mut forged = vec![jwt(&json!({ "alg": "none" }), &claims, b""), jwt(&json!({ "alg": "RS512" }), &claims, &[1; 256])];
    // The classic: an HMAC with the public key, which everybody knows, as the secret.
    for secret in [public.as_str(), public.trim()] {
        let unsigned = jwt(&json!({ "alg": "HS256", "typ": "JWT" }), &claims, b"");
        let mac = hex::decode(hmac_hex(secret, unsigned.trim_end_matches('.').as_bytes())).expect("hex");
        forged.push(format!("{unsigned}{}", URL_SAFE_NO_PAD.encode(mac)));
    }
    let genuine = sample("wix_created.jwt");
    let parts: Vec<&str> = genuine.trim().split('.').collect();
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    forged.push(format!("{none}.{}.{}", parts[1], parts[2]));
    forged.push(format!("{none}.{}.", parts[1]));
    forged.push(format!("{}.{}.", parts[0], parts[1]));
    let crit = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","crit":["b64"],"b64":false}"#);
    forged.push(format!("{crit}.{}.{}", parts[1], parts[2]));
    for body in forged {
        assert_eq!(Sent::to("wix", body.as_str()).refused(&inbound()), Refusal::BadSignature, "{body}");
    }
}

/// Signed by the right key in the right way, under a header of the caller's choice.
fn truly_signed(header: &Value, claims: &str) -> String {
    let pem = sample("wix_test_private.pem");
    let base64: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = RsaKeyPair::from_pkcs8(&STANDARD.decode(base64).expect("base64")).expect("the test key");
    let unsigned = jwt(header, claims, b"");
    let content = unsigned.trim_end_matches('.');
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), content.as_bytes(), &mut signature).expect("a signature");
    format!("{content}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn the_header_counts_even_when_the_signature_is_right() {
    let claims = json!({ "data": "{}" }).to_string();
    let sent = |header: Value| Sent::to("wix", truly_signed(&header, &claims)).arrive(&inbound());
    assert!(sent(json!({ "alg": "RS256" })).is_ok());
    for header in [
        json!({ "alg": "none" }),
        json!({ "alg": "RS512" }),
        json!({ "alg": "rs256" }),
        json!({ "alg": "RS256", "crit": ["b64"] }),
    ] {
        assert_eq!(sent(header.clone()), Err(Refusal::BadSignature), "{header}");
    }
    let huge = json!({ "alg": "RS256", "x": "x".repeat(1_024) });
    assert_eq!(sent(huge), Err(Refusal::BadSignature));
    let four_parts = truly_signed(&json!({ "alg": "RS256" }), &claims).replacen('.', ".eyJ9.", 1);
    assert_eq!(Sent::to("wix", four_parts).refused(&inbound()), Refusal::MissingSignature);
}

#[test]
fn a_jwts_own_times_are_respected_when_it_has_them() {
    let signer = WixSigner::from_pem(&sample("wix_test_private.pem")).expect("the test key");
    let seconds = now().0 / 1_000;
    let sent = |claims: Value| Sent::to("wix", signer.sign_claims(&claims.to_string()).expect("a signature")).arrive(&inbound());
    assert!(sent(json!({ "data": "{}" })).is_ok());
    assert!(sent(json!({ "data": "{}", "exp": seconds - 299 })).is_ok());
    assert!(sent(json!({ "data": "{}", "nbf": seconds + 299 })).is_ok());
    assert_eq!(sent(json!({ "data": "{}", "exp": seconds - 301 })), Err(Refusal::Stale));
    assert_eq!(sent(json!({ "data": "{}", "nbf": seconds + 301 })), Err(Refusal::Stale));
    assert_eq!(sent(json!({ "data": "{}", "exp": "never" })), Err(Refusal::BadSignature));
}

#[test]
fn wixs_key_is_taken_in_every_form_it_is_handed_out_in() {
    let pem = sample("wix_test_public.pem");
    let der: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    for key in [pem.clone(), STANDARD.encode(&pem), pem.replace('\n', "\\n"), der] {
        let inbound = with_sources("", &Secrets::new().with("WIX_WEBHOOK_PUBLIC_KEY", &key));
        accepted(&Sent::to("wix", format!(" {}\n", sample("wix_created.jwt").trim())), &inbound);
    }
    for key in ["nonsense", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "AAAA"] {
        let secrets = Secrets::new().with("WIX_WEBHOOK_PUBLIC_KEY", key);
        let problems = Inbound::new(&avatar::inbound::Sources::builtin(), &secrets, chrono_tz::UTC).err().expect("problems");
        assert!(problems[0].to_string().contains("WIX_WEBHOOK_PUBLIC_KEY: it is no RSA public key"), "{}", problems[0]);
        assert!(!problems[0].to_string().contains(key));
    }
}

#[test]
fn a_fresh_key_pair_signs_what_its_public_half_accepts() {
    let pair = KeyPair::generate().expect("a key pair");
    let signer = WixSigner::from_pem(&pair.private_pem).expect("a signer");
    let inner = sample("wix_created.inner.json");
    let body = signer.sign_event("wix.bookings.v2.booking_created", &inner, Identity::Visitor, now()).expect("a signature");
    let own = with_sources("", &Secrets::new().with("WIX_WEBHOOK_PUBLIC_KEY", &pair.public_pem));
    accepted(&Sent::to("wix", body.as_str()), &own);
    assert_eq!(Sent::to("wix", body).refused(&inbound()), Refusal::BadSignature);
}

#[test]
fn two_keys_of_wix_are_in_force_while_one_replaces_the_other() {
    let pair = KeyPair::generate().expect("a key pair");
    let mut both = Secrets::new();
    both.add_list(
        "WIX_WEBHOOK_PUBLIC_KEY",
        &format!("{} until 2026-11-23T00:00:00+11:00,{}", sample("wix_test_public.pem"), pair.public_pem),
    );
    let inbound = with_sources("", &both);
    let old = Sent::to("wix", sample("wix_created.jwt"));
    accepted(&old, &inbound);
    assert_eq!(old.at(now() + Millis::DAY).refused(&inbound), Refusal::BadSignature);
}

#[test]
fn a_key_of_1024_bits_is_too_short_for_wix() {
    let vectors: Value = serde_json::from_str(&sample("messagemedia_signature_vectors.json")).expect("vectors");
    let short = vectors["public_key_base64_der_spki"].as_str().expect("a key");
    let secrets = Secrets::new().with("WIX_WEBHOOK_PUBLIC_KEY", short);
    let problems = Inbound::new(&avatar::inbound::Sources::builtin(), &secrets, chrono_tz::UTC).err().expect("problems");
    assert!(problems[0].to_string().contains("fewer than 2048 bits"), "{}", problems[0]);
}

/// Flips one bit; the position is taken modulo the length.
fn flip(bytes: &mut [u8], bit: usize) {
    let bit = bit % (bytes.len() * 8);
    bytes[bit / 8] ^= 1 << (bit % 8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_flipped_bit_of_an_hmac_is_refused(what in 0..4, bit in any::<usize>(), body in proptest::collection::vec(any::<u8>(), 1..200)) {
        let mut secret = HMAC_SECRET.as_bytes().to_vec();
        let mut signature = hex::decode(hmac_hex(HMAC_SECRET, &body)).expect("hex");
        let mut sent = body.clone();
        match what {
            0 => flip(&mut sent, bit),
            1 => flip(&mut signature, bit),
            2 => sent.push(bit as u8),
            // The top bit of ASCII would make the secret no text.
            _ => { let index = bit % secret.len(); secret[index] ^= 1 << (bit / 64 % 7); }
        }
        let secret = String::from_utf8(secret).expect("text");
        let inbound = with_sources("", &Secrets::new().with("WIX_WEBHOOK_SECRET", &secret));
        let request = Sent::to("wix", sent).header("X-Wix-Webhook-Signature", hex::encode(signature));
        prop_assert_eq!(request.refused(&inbound), Refusal::BadSignature);
    }

    #[test]
    fn any_flipped_bit_of_a_timed_signature_is_refused(what in 0..4, bit in any::<usize>(), body in proptest::collection::vec(any::<u8>(), 1..200)) {
        let mut body = body;
        let header = standard_signature(STANDARD_SECRET, "msg_1", SIGNED_AT_S, &body).expect("a secret");
        let mut signature = STANDARD.decode(header.trim_start_matches("v1,")).expect("base64");
        let (mut id, mut seconds) = ("msg_1".to_owned(), SIGNED_AT_S);
        match what {
            0 => flip(&mut body, bit),
            1 => flip(&mut signature, bit),
            2 => id.push('0'),
            _ => seconds += 1 + (bit % 250) as i64,
        }
        let request = Sent::to("partner", body).at(SIGNED_AT)
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", format!("v1,{}", STANDARD.encode(signature)));
        prop_assert_eq!(request.refused(&partner("scheme: standard_webhooks", STANDARD_SECRET)), Refusal::BadSignature);
    }

    #[test]
    fn any_flipped_bit_of_a_jwt_is_refused(bit in any::<usize>()) {
        let mut body = sample("wix_created.jwt").trim().as_bytes().to_vec();
        flip(&mut body, bit);
        // A broken beginning is no JWT any more, and so a request without a signature.
        let refusal = Sent::to("wix", body).refused(&with_sources("", &secrets()));
        prop_assert!(matches!(refusal, Refusal::BadSignature | Refusal::MissingSignature), "{refusal:?}");
    }
}
