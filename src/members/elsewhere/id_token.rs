//! Whether an ID token is the provider's, for us, of this sign-in, and still good (OpenID Connect Core, 3.1.3.7). Two ways to
//! sign are known, and the key decides between them: what the token says of itself never turns the check off.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey};
use serde::Deserialize;
use serde_json::Value;

use crate::clock::Moment;
use crate::secrets;

/// How far the provider's clock may be off.
const LEEWAY_SECONDS: i64 = 60;

/// A key of a provider (RFC 7517).
#[derive(Debug, Deserialize)]
pub struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    used_for: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// What a token is held against.
pub struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<Value>,
}

/// What a provider says of whoever signed in.
#[derive(Clone, Debug, Deserialize)]
pub struct Claims {
    pub sub: String,
    pub email: Option<String>,
    /// Some write it as a text.
    pub email_verified: Option<Value>,
}

impl Claims {
    /// The address, where the provider has verified it.
    pub fn verified_email(&self) -> Option<&str> {
        let verified = matches!(&self.email_verified, Some(Value::Bool(true)))
            || matches!(&self.email_verified, Some(Value::String(text)) if text == "true");
        self.email.as_deref().filter(|_| verified)
    }
}

#[derive(Deserialize)]
struct Signed {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    nonce: Option<String>,
    #[serde(flatten)]
    claims: Claims,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// What a token says, once all of it is right; else what is not, in words that end a sentence.
pub fn read(token: &str, keys: &[Key], expected: &Expected<'_>, now: Moment) -> Result<Claims, &'static str> {
    const FORM: &str = "is not one";
    let (signed, signature) = token.rsplit_once('.').ok_or(FORM)?;
    let (header, body) = signed.split_once('.').ok_or(FORM)?;
    let header: Header = serde_json::from_slice(&decode(header).ok_or(FORM)?).map_err(|_| FORM)?;
    if header.crit.is_some() {
        return Err("asks for something that is not known here");
    }
    let signature = decode(signature).ok_or(FORM)?;
    let signs = |key: &&Key| key.may_sign(&header) && key.has_signed(&header.alg, signed.as_bytes(), &signature);
    keys.iter().find(signs).ok_or("is not signed by the provider")?;
    let said: Signed = serde_json::from_slice(&decode(body).ok_or(FORM)?).map_err(|_| "lacks something")?;
    let for_us = match &said.aud {
        Audience::One(one) => one == expected.client_id,
        // Of several, the one to which it was given is named.
        Audience::Many(many) => {
            many.iter().any(|one| one == expected.client_id)
                && (many.len() == 1 || said.azp.as_deref() == Some(expected.client_id))
        }
    };
    if said.iss != expected.issuer {
        return Err("is by another issuer");
    }
    if !for_us || said.azp.as_deref().is_some_and(|azp| azp != expected.client_id) {
        return Err("is for somebody else");
    }
    let now = now.micros() as f64 / 1e6;
    let leeway = LEEWAY_SECONDS as f64;
    if now >= said.exp + leeway || said.nbf.is_some_and(|from| now < from - leeway) {
        return Err("is not valid now");
    }
    if !said.nonce.is_some_and(|nonce| secrets::same(&nonce, expected.nonce)) {
        return Err("is of another sign-in");
    }
    Ok(said.claims)
}

impl Key {
    /// Whether a token with this header may be signed with it.
    fn may_sign(&self, header: &Header) -> bool {
        let named = header.kid.is_none() || self.kid.is_none() || self.kid == header.kid;
        let meant = self.alg.as_ref().is_none_or(|alg| *alg == header.alg);
        named && meant && self.used_for.as_ref().is_none_or(|used_for| used_for == "sig")
    }

    fn has_signed(&self, alg: &str, text: &[u8], signature: &[u8]) -> bool {
        self.check(alg, text, signature).unwrap_or(false)
    }

    fn check(&self, alg: &str, text: &[u8], signature: &[u8]) -> Option<bool> {
        let part = |part: &Option<String>| decode(part.as_deref()?);
        match (alg, self.kty.as_str()) {
            ("RS256", "RSA") => {
                let (n, e) = (part(&self.n)?, part(&self.e)?);
                let key = RsaPublicKeyComponents { n: unpadded(&n), e: unpadded(&e) };
                Some(key.verify(&RSA_PKCS1_2048_8192_SHA256, text, signature).is_ok())
            }
            ("ES256", "EC") if self.crv.as_deref() == Some("P-256") => {
                let (x, y) = (part(&self.x)?, part(&self.y)?);
                let point: Vec<u8> = [&[4][..], &x, &y].concat();
                Some(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(text, signature).is_ok())
            }
            _ => None,
        }
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok()
}

/// A number without zeros before it.
fn unpadded(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
