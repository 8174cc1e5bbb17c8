//! Passwords: which ones are taken, and how they are kept. Hashing costs a core for a while, so at most two are hashed
//! at once in a process, away from the async threads.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use tokio::sync::SemaphorePermit;

use crate::app::{App, off_thread};
use crate::error::{AppError, Result};

/// In characters.
pub const SHORTEST: usize = 8;
/// In bytes; longer ones would only cost memory.
pub const LONGEST: usize = 1024;
/// Beside every field for a new password.
pub const ADVICE: &str = "At least 8 characters; 15 or more are better. A few unrelated words work well.";

/// A password as it is kept. Made only by hashing one that was checked.
#[derive(Clone)]
pub struct PasswordHash(pub(super) String);

/// The commonest passwords of at least [`SHORTEST`] characters, in lower case and in order.
const COMMON: &str = include_str!("common_passwords.txt");

/// Against which the password of an unknown or deactivated member is checked, so that it takes as long as any other.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$dGlkZWdhdGUtbm9ib2R5$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What is wrong with a new password, as a sentence. `others` are words that everybody would try first: the e-mail
/// address, the name.
pub fn check(password: &str, others: &[&str]) -> Result<(), String> {
    if password.is_empty() {
        return Err("Choose a password.".into());
    }
    if password.chars().count() < SHORTEST {
        return Err(format!("This password is too short. Choose one of at least {SHORTEST} characters."));
    }
    if password.len() > LONGEST {
        return Err(format!("This password is longer than {LONGEST} bytes. Choose a shorter one."));
    }
    let plain = password.trim().to_lowercase();
    let first = plain.chars().next();
    let one_letter = plain.chars().all(|c| Some(c) == first);
    let guessed = others.iter().any(|other| {
        let other = other.trim().to_lowercase();
        plain == other || other.split_once('@').is_some_and(|(name, _)| plain == name)
    });
    if one_letter || guessed || COMMON.lines().any(|common| common == plain) {
        return Err("This password is too easy to guess. Choose another one.".into());
    }
    Ok(())
}

/// Hashes a password that was checked. Blocks for a moment: pages use [`hash`].
pub fn hash_now(password: &str) -> Result<PasswordHash> {
    let phc: Phc = Argon2::default().hash_password(password.as_bytes()).map_err(AppError::internal)?;
    Ok(PasswordHash(phc.to_string()))
}

/// Whether a password is the one that was kept; with `None` always false, after the same work.
pub(super) fn verify_now(kept: Option<&str>, password: &str) -> bool {
    let right = Phc::new(kept.unwrap_or(NOBODY))
        .is_ok_and(|phc| Argon2::default().verify_password(password.as_bytes(), &phc).is_ok());
    right && kept.is_some()
}

/// Checks and hashes a new password, waiting for a turn.
pub async fn hash(app: &App, password: &str, others: &[&str]) -> Result<PasswordHash> {
    check(password, others).map_err(|reason| AppError::invalid("password", reason))?;
    let _turn = turn(app).await?;
    let password = password.to_owned();
    off_thread(move || hash_now(&password)).await
}

/// A turn at hashing; who has waited long for one is asked to come back.
pub(super) async fn turn(app: &App) -> Result<SemaphorePermit<'_>> {
    match tokio::time::timeout(std::time::Duration::from_secs(20), app.hashing.acquire()).await {
        Ok(turn) => turn.map_err(AppError::internal),
        Err(_) => Err(AppError::Unavailable { after_seconds: 5 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_anybody_would_try_first_is_refused() {
        let others = ["ada.byron@example.com", "Ada Byron"];
        for bad in ["", "short", "password", "PassWord123", "zzzzzzzzzz", "Ada Byron", "ada.byron", &"x1".repeat(600)] {
            assert!(check(bad, &others).is_err(), "{bad}");
        }
        for good in ["correct horse", "tide-and-gate-7", &"ab".repeat(32), "ünïcødé!"] {
            assert_eq!(check(good, &others), Ok(()), "{good}");
        }
    }

    #[test]
    fn a_kept_password_is_recognised_and_nobodys_never() {
        let kept = hash_now("correct horse").unwrap().0;
        assert!(kept.starts_with(&NOBODY[..30]), "as costly as nobody's: {kept}");
        assert!(verify_now(Some(&kept), "correct horse"));
        assert!(!verify_now(Some(&kept), "correct horsf"));
        assert!(Phc::new(NOBODY).is_ok());
        assert!(!verify_now(None, "correct horse"));
    }
}
