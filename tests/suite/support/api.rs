//! REST as a script uses it: a bearer token, JSON, and nothing else.

use diesel::prelude::*;
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tidegate::db::schema::api_tokens;

use super::{Person, World};

pub struct Api {
    client: reqwest::Client,
    base: String,
    token: String,
}

pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    /// `Null` where there was no JSON.
    pub json: Value,
    pub body: String,
    what: String,
}

impl World {
    /// The API with a new token of this person that may do all they may.
    pub async fn api(&self, person: &Person) -> Api {
        self.api_with_scopes(person, None).await
    }

    /// With a narrower token: `Some(&["read", "run"])`.
    pub async fn api_with_scopes(&self, person: &Person, scopes: Option<&[&str]>) -> Api {
        let (id, now, token) = (person.id, self.now(), tidegate::secrets::random_token());
        let scopes = scopes.map(|scopes| serde_json::to_string(scopes).unwrap());
        let hash = tidegate::secrets::hash("token", &token);
        self.write(move |conn| {
            diesel::insert_into(api_tokens::table)
                .values((
                    api_tokens::token_hash.eq(hash),
                    api_tokens::member_id.eq(id),
                    api_tokens::name.eq("test"),
                    api_tokens::scopes.eq(scopes),
                    api_tokens::created_at.eq(now),
                ))
                .execute(conn)?;
            Ok(())
        })
        .await;
        Api::new(self.at(), &token)
    }
}

impl Api {
    pub fn new(at: &str, token: &str) -> Self {
        let client = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
        Self { client, base: format!("{at}/api/v1/"), token: token.to_owned() }
    }

    /// For another program that speaks to the API.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// With the token; the path is below `/api/v1/`.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{}", self.base, path.trim_start_matches('/'))).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::POST, path).json(&body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::PATCH, path).json(&body)).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Reply {
        Reply::of(self.request(Method::PUT, path).json(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        Reply::of(self.request(Method::DELETE, path)).await
    }

    /// Posts and answers the id of what was made.
    pub async fn make(&self, path: &str, body: Value) -> i64 {
        let reply = self.post(path, body).await;
        reply.is(201).id()
    }
}

impl Reply {
    pub async fn of(request: RequestBuilder) -> Self {
        let answer = request.send().await.unwrap();
        let what = answer.url().path().to_owned();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let body = answer.text().await.unwrap();
        Self { status, headers, json: serde_json::from_str(&body).unwrap_or_default(), body, what }
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}: {}", self.what, self.body);
        self
    }

    #[track_caller]
    pub fn id(&self) -> i64 {
        self.json["id"].as_i64().unwrap_or_else(|| panic!("{}: no id in {}", self.what, self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|v| v.to_str().unwrap()).unwrap_or_default()
    }

    /// Of a list.
    #[track_caller]
    pub fn items(&self) -> &[Value] {
        self.json["items"].as_array().unwrap_or_else(|| panic!("{}: no list in {}", self.what, self.body))
    }

    /// The fields that a 422 names.
    #[track_caller]
    pub fn wrong_fields(&self) -> Vec<&str> {
        self.is(422);
        let errors = self.json["errors"].as_array().unwrap_or_else(|| panic!("{}: {}", self.what, self.body));
        errors.iter().map(|error| error["field"].as_str().unwrap()).collect()
    }
}
