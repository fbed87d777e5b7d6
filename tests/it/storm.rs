//! Storms: many clients at once on several processes, kill -9 in the middle, stops under load. What
//! was answered is compared with what the database holds, and `doctor` has the last word.

mod clients;
mod clock;
mod crowd;
mod death;
mod disk;
mod faults;
mod histories;
mod ledger;
mod power;
mod revoked;
mod stop;
mod traffic;
