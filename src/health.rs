//! Whether this process answers, and whether its databases do and have room.

use actix_web::web::Data;

use crate::app::{App, off_thread};
use crate::db;
use crate::error::{AppError, Result};

/// `GET /healthz`: this process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// `GET /readyz`: and its databases answer too, and have room.
pub async fn readyz(app: Data<App>) -> Result<&'static str> {
    if app.disk.is_short() {
        return Err(AppError::DiskFull);
    }
    let (main, blocks) = (app.db.clone(), app.blocks.clone());
    off_thread(move || {
        main.read(db::ping)?;
        blocks.read(db::ping)
    })
    .await?;
    Ok("ready")
}
