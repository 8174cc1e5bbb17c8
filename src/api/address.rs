//! The addresses of the API: what answers each, and what it says of itself for the OpenAPI document. A method that an
//! address lacks is answered by a problem that names the others; actix by itself would say that nothing is there.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpResponse, Responder, Route};

use super::document::{self, Described};
use super::operation::{Operation, Part};
use super::problem::Problem;

/// Addresses on their way into the server, in the order in which they match.
#[derive(Default)]
pub struct Addresses(Vec<(&'static str, Vec<Verb>)>);

/// A method of an address and what answers it.
pub struct Verb {
    method: Method,
    route: Route,
    describe: fn(&mut Operation),
}

impl Addresses {
    pub fn route(&mut self, path: &'static str, verb: Verb) {
        match self.0.iter_mut().find(|(known, _)| *known == path) {
            Some((_, verbs)) => verbs.push(verb),
            None => self.0.push((path, vec![verb])),
        }
    }

    /// Registers them, and a problem for every other address below `/api`.
    pub fn register(self, routes: &mut ServiceConfig) {
        document::publish(|| {
            let described = |(path, verbs): &(&'static str, Vec<Verb>)| -> Vec<Described> {
                verbs.iter().map(|verb| (verb.method.clone(), *path, verb.describe)).collect()
            };
            self.0.iter().flat_map(described).collect()
        });
        for (path, verbs) in self.0 {
            let allowed = verbs.iter().map(|verb| verb.method.as_str()).collect::<Vec<_>>().join(", ");
            let refuse = move || {
                let problem = Problem::Method(allowed.clone());
                async move { Err::<HttpResponse, Problem>(problem) }
            };
            let resource = verbs.into_iter().fold(web::resource(path), |resource, verb| resource.route(verb.route));
            routes.service(resource.default_service(web::to(refuse)));
        }
        routes.service(web::resource("/api/{rest:.*}").to(super::problem::nothing_here));
    }
}

macro_rules! verbs {
    ($($name:ident $method:ident),+) => {
        $(pub fn $name() -> Verb {
            Verb { method: Method::$method, route: web::$name(), describe: |_| () }
        })+
    };
}

verbs!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

impl Verb {
    pub fn to<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + Part + 'static,
        F::Output: Responder + Part + 'static,
    {
        let describe = |operation: &mut Operation| {
            Args::describe(operation);
            F::Output::describe(operation);
        };
        Self { method: self.method, route: self.route.to(handler), describe }
    }
}
