//! The program itself on both databases: killed, frozen, stopped, started twice, and by the real clock.

mod canary;
mod claims;
mod copied;
mod crashes;
mod keys;
mod mails;
mod merges;
mod notifications;
mod demo;
mod full_disk;
mod pressure;
mod readme;
mod restored;
mod restores;
mod sets;
mod site;
mod starting;
mod stops;
mod strangers;
mod tls;
