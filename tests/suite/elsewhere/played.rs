//! A provider that is played: honest but for what a test wants of it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// What it does otherwise.
#[derive(Clone, Debug)]
pub enum Does {
    Honest,
    /// The ID token says this.
    Claims(&'static str, Value),
    /// The ID token does not say this.
    Omits(&'static str),
    /// The header of the ID token says this, and it is signed accordingly.
    Alg(&'static str),
    /// Another key signs.
    OtherKey,
    /// A letter of what was signed is changed afterwards.
    Tampers,
    /// Answers this at a path, byte by byte; `{at}` is its own address.
    Answers(&'static str, String),
    /// Answers nothing at a path.
    Hangs(&'static str),
    /// Its configuration says this.
    Says(&'static str, Value),
    /// Leads back with this in place of the code.
    Back(&'static str),
    /// Shows the way back and leads nobody.
    Shows,
    /// Says the address only where it is asked for, of somebody else.
    OtherUserInfo,
}

struct Inner {
    does: Mutex<Does>,
    asked: Mutex<Vec<String>>,
    looked: Mutex<usize>,
    key: EcdsaKeyPair,
    other: EcdsaKeyPair,
}

#[derive(Clone)]
pub struct Played {
    pub issuer: String,
    inner: Arc<Inner>,
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
}

fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

impl Played {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let inner = Inner {
            does: Mutex::new(Does::Honest),
            asked: Mutex::default(),
            looked: Mutex::default(),
            key: key(),
            other: key(),
        };
        let played = Self { issuer: format!("http://{}", listener.local_addr().unwrap()), inner: Arc::new(inner) };
        let server = played.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.talk(stream));
            }
        });
        played
    }

    pub fn does(&self, does: Does) {
        *self.inner.does.lock().unwrap() = does;
    }

    /// The bodies that it was posted.
    pub fn asked(&self) -> Vec<String> {
        self.inner.asked.lock().unwrap().clone()
    }

    /// How often it was asked what it says of itself.
    pub fn looked(&self) -> usize {
        *self.inner.looked.lock().unwrap()
    }

    fn talk(&self, mut stream: TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream.try_clone().ok()?);
        let mut first = String::new();
        lines.read_line(&mut first).ok()?;
        let at = Url::parse(&self.issuer).unwrap().join(first.split(' ').nth(1)?).ok()?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).ok()?;
        let body = String::from_utf8(body).unwrap();
        if length > 0 {
            self.inner.asked.lock().unwrap().push(body.clone());
        }
        if at.path().starts_with("/.well-known") {
            *self.inner.looked.lock().unwrap() += 1;
        }
        let does = self.inner.does.lock().unwrap().clone();
        let answer = match &does {
            Does::Answers(path, answer) if *path == at.path() => answer.replace("{at}", &self.issuer),
            Does::Hangs(path) if *path == at.path() => {
                let _ = stream.read_to_end(&mut Vec::new());
                return None;
            }
            _ => self.answer(&at, &body, &does),
        };
        stream.write_all(answer.as_bytes()).ok()
    }

    fn answer(&self, at: &Url, body: &str, does: &Does) -> String {
        let asked =
            |name: &str| at.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned()).unwrap_or_default();
        match at.path() {
            "/.well-known/openid-configuration" => whole("200 OK", "", &self.configuration(does).to_string()),
            "/authorize" => {
                let back = match does {
                    Does::Back(back) => (*back).to_owned(),
                    // What it is worth is of whoever went.
                    _ => format!("code={}", asked("nonce")),
                };
                let back = format!("{}?state={}&{back}", asked("redirect_uri"), asked("state"));
                match does {
                    Does::Shows => whole("200 OK", "", &back),
                    _ => whole("302 Found", &format!("Location: {back}\r\n"), ""),
                }
            }
            "/token" => {
                let nonce =
                    form_urlencoded::parse(body.as_bytes()).find(|(n, _)| n == "code").map(|(_, v)| v.into_owned());
                let nonce = nonce.unwrap_or_default();
                let worth =
                    json!({ "id_token": self.id_token(&nonce, does), "access_token": "a", "token_type": "Bearer" });
                whole("200 OK", "", &worth.to_string())
            }
            "/keys" => {
                let point = self.inner.key.public_key().as_ref();
                let key = json!({ "kty": "EC", "crv": "P-256", "kid": "k", "use": "sig", "x": encode(&point[1..33]),
                    "y": encode(&point[33..]) });
                whole(
                    "200 OK",
                    "",
                    &json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519" }, { "kty": 7 }, key] }).to_string(),
                )
            }
            "/userinfo" => {
                let sub = if matches!(does, Does::OtherUserInfo) { "somebody else" } else { "1" };
                let said = json!({ "sub": sub, "email": "olive@acme.test", "email_verified": true });
                whole("200 OK", "", &said.to_string())
            }
            _ => whole("404 Not Found", "", ""),
        }
    }

    fn configuration(&self, does: &Does) -> Value {
        let at = |path: &str| format!("{}{path}", self.issuer);
        let mut said = json!({
            "issuer": self.issuer, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
            "jwks_uri": at("/keys"), "userinfo_endpoint": at("/userinfo"),
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["plain", "S256"],
        });
        if let Does::Says(name, value) = does {
            said[name] = value.clone();
        }
        said
    }

    fn id_token(&self, nonce: &str, does: &Does) -> String {
        // Far from any clock of a test.
        let mut claims = json!({ "iss": self.issuer, "aud": "tidegate", "sub": "1", "exp": 4_000_000_000_i64,
            "nonce": nonce, "email": "olive@acme.test", "email_verified": true });
        match does {
            Does::Claims(name, value) => claims[name] = value.clone(),
            Does::Omits(name) => drop(claims.as_object_mut().unwrap().remove(*name)),
            Does::OtherUserInfo => drop(claims.as_object_mut().unwrap().remove("email")),
            _ => {}
        }
        let alg = if let Does::Alg(alg) = does { alg } else { "ES256" };
        let header = json!({ "alg": alg, "typ": "JWT", "kid": "k" });
        let mut text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        let signature = match (does, alg) {
            (_, "none") => String::new(),
            // What everybody may read, taken for a secret.
            (_, "HS256") => {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, self.inner.key.public_key().as_ref());
                encode(ring::hmac::sign(&key, text.as_bytes()))
            }
            (Does::OtherKey, _) => encode(self.inner.other.sign(&SystemRandom::new(), text.as_bytes()).unwrap()),
            _ => encode(self.inner.key.sign(&SystemRandom::new(), text.as_bytes()).unwrap()),
        };
        if matches!(does, Does::Tampers) {
            claims["email"] = json!("ada@acme.test");
            text = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
        }
        format!("{text}.{signature}")
    }
}

/// A whole answer.
pub fn whole(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}
