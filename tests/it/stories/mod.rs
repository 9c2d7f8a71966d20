//! What the clinic that ships does.

mod demo;
mod house;
/// Each story on SQLite and, where there is one, on PostgreSQL.
macro_rules! on_both_engines {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test]
            fn $story() {
                let clinic = crate::support::clinic::Clinic::sqlite();
                super::$story(&clinic);
                clinic.check();
            })+
        }
        mod on_postgres {
            $(#[test]
            fn $story() {
                let Some(clinic) = crate::support::clinic::Clinic::postgres() else { return };
                super::$story(&clinic);
                clinic.check();
            })+
        }
    };
}

mod audit;
mod bookings;
mod by_hand;
mod canary;
mod candidate;
mod consent;
mod contract;
mod front_desk;
mod gateway_words;
mod gateways;
mod guard;
mod hard_cases;
mod ledger;
mod looking;
mod merging;
mod orders;
mod people;
mod privacy;
mod promises;
mod reload;
mod replays;
mod replies;
mod reports;
mod rule_files;
mod shipped;
mod staff_bookings;
mod staff_contacts;
mod staff_tasks;
mod staff_texts;
mod stop_races;
mod storm;
mod texts;
mod timers;
mod trouble;
mod waits;
mod whose;
