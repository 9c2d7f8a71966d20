//! Who may come in: members of staff, their sessions and proofs, and API keys.

mod codes;
mod keys;
mod proofs;
mod sessions;
mod users;

pub use codes::{
    CodePurpose, count_recovery_codes, delete_codes_of, insert_one_time_code, replace_recovery_codes, take_one_time_code,
    take_recovery_code,
};
pub use keys::{ApiKey, find_api_key, insert_api_key, list_api_keys, revoke_api_key, touch_api_key};
pub use proofs::{Proofs, find_proofs, lock_proofs, put_proofs, use_totp_step};
pub use sessions::{
    BeganWith, Session, delete_session, delete_sessions_of, find_session, insert_session, list_sessions, prune_sessions,
    touch_session,
};
pub use users::{
    NewUser, User, count_active_admins, find_user, find_user_by_email, insert_user, list_users, lock_user, update_user,
};
