//! Codes that count once.

use super::base32;
use crate::automation::staff::hash_secret;
use crate::domain::ids::fill_random;
use crate::domain::time::{Millis, Timestamp};
use crate::store::staff::{self, CodePurpose};
use crate::store::{StoreResult, Tx};

/// Nobody can try them all, so they need no throttle.
const CODE_BYTES: usize = 20;
/// 120 bits: short enough to write down, too many to try even with the hashes at hand.
const RECOVERY_BYTES: usize = 15;
const RECOVERY_CODES: usize = 10;

const INVITATION_LIFETIME: Millis = Millis::hours(72);
const LINK_LIFETIME: Millis = Millis::hours(12);

/// A new code for somebody, in place of any they had. Only its hash is kept.
pub(in crate::automation) fn issue(tx: &mut Tx<'_>, user_id: &str, purpose: CodePurpose, now: Timestamp) -> StoreResult<String> {
    let code = random::<CODE_BYTES>();
    let lifetime = match purpose {
        CodePurpose::Invitation => INVITATION_LIFETIME,
        CodePurpose::Link => LINK_LIFETIME,
    };
    staff::delete_codes_of(tx, user_id)?;
    staff::insert_one_time_code(tx, &hash_secret(&code), user_id, purpose, now + lifetime)?;
    Ok(base32::grouped(&code))
}

/// As [`issue`] hashed it, however it is typed.
pub(super) fn hash_typed(code: &str) -> String {
    hash_secret(&base32::ungrouped(code))
}

/// New recovery codes in place of all earlier ones.
pub(super) fn issue_recovery_codes(tx: &mut Tx<'_>, user_id: &str) -> StoreResult<Vec<String>> {
    let codes: Vec<String> = (0..RECOVERY_CODES).map(|_| random::<RECOVERY_BYTES>()).collect();
    let hashes: Vec<String> = codes.iter().map(|code| hash_secret(code)).collect();
    staff::replace_recovery_codes(tx, user_id, &hashes)?;
    Ok(codes.iter().map(|code| base32::grouped(code)).collect())
}

fn random<const N: usize>() -> String {
    let mut bytes = [0u8; N];
    fill_random(&mut bytes);
    base32::encode(&bytes)
}
