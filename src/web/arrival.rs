//! Bodies on their way in. A form or a JSON body arrives within the patience of the server, a file may take as long as it
//! goes on: who sends a byte now and then would hold a connection, and whatever is written for it, for ever.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Data;
use futures_util::{Future, Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use crate::app::App;
use crate::error::{AppError, Result};

/// A file that is sent slower than this, in bytes within twice the patience, is given up.
const SLOWEST: u64 = 64 << 10;

/// The server's patience.
fn patience(request: &HttpRequest) -> Duration {
    request.app_data::<Data<App>>().map_or(Duration::from_secs(30), |app| app.config.patience())
}

/// What arrives whole and soon, or not at all.
pub async fn soon<T>(request: &HttpRequest, body: impl Future<Output = T>) -> Result<T> {
    timeout_at(Instant::now() + patience(request), body).await.map_err(|_| AppError::TooSlow)
}

/// How far a file has come.
pub struct Pace {
    began: Instant,
    patience: Duration,
    bytes: u64,
}

impl Pace {
    pub fn of(request: &HttpRequest) -> Self {
        Self { began: Instant::now(), patience: patience(request) * 2, bytes: 0 }
    }

    /// The next piece; `TooSlow` where none comes for long, or all that came is too little for the time.
    pub async fn next<S: Stream + Unpin>(&mut self, pieces: &mut S) -> Result<Option<S::Item>> {
        let now = Instant::now();
        let due = self.began + self.patience * u32::try_from(1 + self.bytes / SLOWEST).unwrap_or(u32::MAX);
        timeout_at(due.min(now + self.patience), pieces.next()).await.map_err(|_| AppError::TooSlow)
    }

    pub fn came(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }
}
