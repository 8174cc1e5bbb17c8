//! Whether this process answers, and whether its databases do.

use actix_web::web::Data;

use crate::app::{App, off_thread};
use crate::db;
use crate::error::Result;

/// `GET /healthz`: this process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// `GET /readyz`: and its databases answer too.
pub async fn readyz(app: Data<App>) -> Result<&'static str> {
    let (main, blocks) = (app.db.clone(), app.blocks.clone());
    off_thread(move || {
        main.read(db::ping)?;
        blocks.read(db::ping)
    })
    .await?;
    Ok("ready")
}
