//! JSON bodies: what they hold is a type (`shape`), and all that is wrong with one is named.

use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::{Future, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use super::problem::Problem;
use super::said::Said;
use crate::error::{AppError, FieldErrors, Result};
use crate::shape::{Fields, Object, Reader, merge};
use crate::web::arrival;

/// The largest JSON body, in bytes.
const LIMIT: usize = 1 << 20;

/// The body of a request as it came. Looked at only once it is known that the caller may do what is asked.
pub struct Body<T>(Option<Bytes>, PhantomData<fn() -> T>);

/// Of a body: some of the members of a `T`, to be laid over those that are there.
pub struct Patch<T>(PhantomData<T>);

impl<T> Clone for Body<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<T> Body<T> {
    /// What was sent, to tell two requests apart.
    pub fn bytes(&self) -> Result<&[u8], Problem> {
        self.0.as_deref().ok_or(Problem::TooLarge)
    }

    /// The members of the object; none where nothing was sent.
    pub fn map(&self) -> Result<Object> {
        let bytes = self.0.as_deref().unwrap_or_default();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Object::new());
        }
        match serde_json::from_slice::<Said>(bytes).map(|Said(value)| value) {
            Ok(Value::Object(map)) => Ok(map),
            Ok(_) => Err(AppError::invalid("body", "Send a JSON object.")),
            Err(error) if error.is_data() => Err(AppError::invalid("body", format!("{error}."))),
            Err(error) => Err(AppError::invalid("body", format!("This is not JSON: {error}."))),
        }
    }
}

impl<T: Fields> Body<T> {
    pub fn read(&self) -> Result<T> {
        let (sent, errors) = self.look()?;
        Ok(errors.ok_or(sent)?)
    }

    /// What was sent and all that is wrong with it, for a caller that has more to say about the rest.
    pub fn look(&self) -> Result<(T, FieldErrors)> {
        Ok(look(self.map()?))
    }
}

impl<T: Fields + Serialize + PartialEq> Body<Patch<T>> {
    /// What becomes of the members that are there; `None`: nothing changes.
    pub fn over(&self, before: &T) -> Result<Option<T>> {
        let (sent, errors) = self.look_over(before)?;
        let sent = errors.ok_or(sent)?;
        Ok((sent != *before).then_some(sent))
    }

    /// The same, with all that is wrong.
    pub fn look_over(&self, before: &T) -> Result<(T, FieldErrors)> {
        let Value::Object(mut whole) = json!(before) else { return Err(AppError::internal("no object")) };
        merge::<T>(&mut whole, self.map()?);
        Ok(look(whole))
    }
}

fn look<T: Fields>(map: Object) -> (T, FieldErrors) {
    let mut reader = Reader::default();
    let sent = reader.object(map, "");
    (sent, reader.errors)
}

impl<T> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, mut payload) = (request.clone(), payload.take());
        Box::pin(async move {
            let body = async {
                let mut bytes = Vec::new();
                while let Some(piece) = payload.next().await {
                    let piece =
                        piece.map_err(|_| AppError::invalid("body", "The body arrived incomplete. Send it again."))?;
                    if bytes.len() + piece.len() > LIMIT {
                        return Ok(Self(None, PhantomData));
                    }
                    bytes.extend_from_slice(&piece);
                }
                Ok(Self(Some(bytes.into()), PhantomData))
            };
            arrival::soon(&request, body).await?
        })
    }
}
