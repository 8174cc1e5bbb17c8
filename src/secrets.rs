//! Secrets: sealing what must be read again (a Connection's password), hashing what must only be recognised (a
//! session, a token), and making what nobody can guess.

use std::io::Write;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use crate::error::{AppError, Result};
use crate::words::hex;

/// So many letters of a hash tell one key from every other: 16 bytes. Older texts carry 8.
const KEY_ID: usize = 22;

/// The key of this installation.
#[derive(Clone)]
pub struct Secrets {
    cipher: XChaCha20Poly1305,
    key_id: String,
    /// By which the nonces of [`Secrets::seal_alike`] are made.
    alike: [u8; 32],
}

impl Secrets {
    /// From 32 bytes in base64.
    pub fn from_base64(key: &str) -> Result<Self, String> {
        let bytes = STANDARD.decode(key.trim()).map_err(|_| "--secret-key: not base64".to_owned())?;
        if bytes.len() != 32 {
            return Err(format!("--secret-key: {} bytes, expected 32", bytes.len()));
        }
        let cipher = XChaCha20Poly1305::new_from_slice(&bytes).map_err(|_| "--secret-key: not usable".to_owned())?;
        let alike = Sha256::new().chain_update("tidegate alike").chain_update(&bytes).finalize().into();
        Ok(Self { cipher, key_id: hash("tidegate key", key.trim())[..KEY_ID].to_owned(), alike })
    }

    /// From `secret.key` in the data directory; none where it is not there.
    pub fn kept_in(data_dir: &Path) -> Result<Option<Self>, String> {
        Self::from_file(&data_dir.join(KEY_FILE))
    }

    /// From the key that a rotation wrote and did not come to put in the other's place; none where there is none.
    pub fn kept_new_in(data_dir: &Path) -> Result<Option<Self>, String> {
        Self::from_file(&data_dir.join(NEW_KEY_FILE))
    }

    /// From a key that is made for this data directory, at its first start.
    pub fn made_in(data_dir: &Path) -> Result<Self, String> {
        let key = random_key();
        write_key(&data_dir.join(KEY_FILE), &key, std::fs::OpenOptions::new().create_new(true))?;
        Self::from_base64(&key)
    }

    fn from_file(file: &Path) -> Result<Option<Self>, String> {
        if !file.exists() {
            return Ok(None);
        }
        if is_open_to_others(file) {
            let file = file.display();
            return Err(format!(
                "{file}: other users of this machine may read this key; protect it with: chmod 600 {file}"
            ));
        }
        let key = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
        Self::from_base64(&key).map(Some)
    }

    /// Whether both are made of one key.
    pub fn is_same(&self, other: &Self) -> bool {
        self.key_id == other.key_id
    }

    /// Seals a text for one place (`context` names table and row): moved elsewhere it no longer opens.
    pub fn seal(&self, context: &str, text: &str) -> Result<String> {
        self.seal_by(random_bytes(), context, text)
    }

    /// The same, but one text at one place is always sealed alike, so that two can be told to be equal without being
    /// opened. Its nonce is a fingerprint of both under a key of its own, which nobody can make without that key and
    /// which is another for any other text or place.
    pub fn seal_alike(&self, context: &str, text: &str) -> Result<String> {
        let inner = |part: &str| Sha256::new().chain_update(self.alike).chain_update(part).finalize();
        let outer = Sha256::new().chain_update(self.alike).chain_update(inner(context)).chain_update(inner(text));
        let mut nonce = [0; 24];
        nonce.copy_from_slice(&outer.finalize()[..24]);
        self.seal_by(nonce, context, text)
    }

    fn seal_by(&self, nonce: [u8; 24], context: &str, text: &str) -> Result<String> {
        let payload = Payload { msg: text.as_bytes(), aad: context.as_bytes() };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| AppError::internal("a secret could not be sealed"))?;
        Ok(format!("{}.{}.{}", self.key_id, URL_SAFE_NO_PAD.encode(nonce), URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what [`Secrets::seal`] closed for the same context with the same key.
    pub fn open(&self, context: &str, sealed: &str) -> Result<String> {
        self.try_open(context, sealed).ok_or_else(|| AppError::internal("a sealed secret does not open with this key"))
    }

    fn try_open(&self, context: &str, sealed: &str) -> Option<String> {
        let mut parts = sealed.split('.');
        let (_key, nonce, sealed) = (parts.next()?, parts.next()?, parts.next()?);
        let nonce: [u8; 24] = URL_SAFE_NO_PAD.decode(nonce).ok()?.try_into().ok()?;
        let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let payload = Payload { msg: &sealed, aad: context.as_bytes() };
        String::from_utf8(self.cipher.decrypt(&XNonce::from(nonce), payload).ok()?).ok()
    }
}

/// In the data directory.
const KEY_FILE: &str = "secret.key";
const NEW_KEY_FILE: &str = "secret.key.new";

/// A new sealing key: 32 bytes in base64.
pub fn random_key() -> String {
    STANDARD.encode(random_bytes::<32>())
}

/// Keeps a key beside the one that still holds, until everything is sealed with it.
pub fn write_new_key(data_dir: &Path, key: &str) -> Result<(), String> {
    let file = data_dir.join(NEW_KEY_FILE);
    write_key(&file, key, std::fs::OpenOptions::new().create(true).truncate(true))
}

/// Puts that key in the place of the one that held.
pub fn take_new_key(data_dir: &Path) -> Result<(), String> {
    let (new, file) = (data_dir.join(NEW_KEY_FILE), data_dir.join(KEY_FILE));
    let taken = std::fs::rename(&new, &file).and_then(|()| std::fs::File::open(data_dir)?.sync_all());
    taken.map_err(|e| format!("{}: {e}", file.display()))
}

/// On the disk before anything is sealed with it, and readable by its owner only.
fn write_key(file: &Path, key: &str, options: &mut std::fs::OpenOptions) -> Result<(), String> {
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let written = options.open(file).and_then(|mut f| {
        writeln!(f, "{key}")?;
        f.sync_all()
    });
    written.map_err(|e| format!("{}: {e}", file.display()))
}

/// Makes a folder, where it is not there, into which nobody else may look, whatever the modes of what lies in it. Not by
/// a umask: what is moved in a folder of others stays theirs to read.
pub fn make_own_folder(path: &Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder.recursive(true).create(path)
}

/// Whether a file or folder is there, and not its owner's alone.
pub fn is_open_to_others(path: &Path) -> bool {
    #[cfg(unix)]
    let mode = std::fs::metadata(path).map_or(0, |found| std::os::unix::fs::MetadataExt::mode(&found));
    #[cfg(not(unix))]
    let mode = 0;
    mode & 0o077 != 0
}

/// 256 random bits as text for a cookie, a token or a link.
pub fn random_token() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// A number between 2^32 and 2^62, which nobody has or guesses: nothing that is counted comes so far.
pub fn random_number() -> i64 {
    (i64::from_be_bytes(random_bytes()) & ((1 << 62) - 1)) | (1 << 32)
}

/// A hundred random bits that a person can type: `7KQ2-M4XD-…`, in letters and digits that are not mistaken.
pub fn random_code() -> String {
    const LETTERS: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let letters: Vec<char> = random_bytes::<20>().iter().map(|byte| LETTERS[usize::from(byte % 32)].into()).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}

/// Random bytes from the operating system. Without them nothing here may go on.
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    if getrandom::fill(&mut bytes).is_err() {
        std::process::abort();
    }
    bytes
}

/// A fingerprint by which a token is recognised without being kept; `purpose` keeps the kinds apart.
pub fn hash(purpose: &str, token: &str) -> String {
    let digest = Sha256::new().chain_update(purpose).chain_update([0]).chain_update(token).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// A random id in the form of a UUID.
pub fn random_uuid() -> String {
    let mut bytes = random_bytes::<16>();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// By which whoever has the same key knows that a text comes from here: HMAC-SHA256 (RFC 2104), in hexadecimal.
pub fn signature(key: &[u8], text: &[u8]) -> String {
    let mut block = [0; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let inner = Sha256::new().chain_update(block.map(|byte| byte ^ 0x36)).chain_update(text).finalize();
    hex(&Sha256::new().chain_update(block.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize())
}

/// Compares without telling by its duration where two texts differ.
pub fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |d, (x, y)| d | (x ^ y)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_secret_opens_only_at_its_place_and_with_its_key() {
        let key = |byte: u8| Secrets::from_base64(&STANDARD.encode([byte; 32])).unwrap();
        let sealed = key(1).seal("connections 7", "hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        assert_eq!(key(1).open("connections 7", &sealed).unwrap(), "hunter2");
        assert!(key(1).open("connections 8", &sealed).is_err());
        assert!(key(2).open("connections 7", &sealed).is_err());
        assert_ne!(sealed, key(1).seal("connections 7", "hunter2").unwrap());
        let alike = |byte, place, text| key(byte).seal_alike(place, text).unwrap();
        assert_eq!(key(1).open("p 7", &alike(1, "p 7", "hunter2")).unwrap(), "hunter2");
        assert_eq!(alike(1, "p 7", "hunter2"), alike(1, "p 7", "hunter2"));
        for other in [alike(2, "p 7", "hunter2"), alike(1, "p 8", "hunter2"), alike(1, "p 7", "hunter3")] {
            assert_ne!(alike(1, "p 7", "hunter2")[23..55], other[23..55], "another nonce");
        }
    }

    /// The first cases of RFC 4231, and its sixth.
    #[test]
    fn signatures_are_those_of_everybody() {
        for (key, text, signed) in [
            (vec![0x0b; 20], "Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe".to_vec(),
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                "Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            assert_eq!(signature(&key, text.as_bytes()), signed);
        }
        let id = random_uuid();
        assert!(id.len() == 36 && &id[14..15] == "4" && id != random_uuid(), "{id}");
    }
}
