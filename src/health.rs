//! Whether this process answers, and whether its databases do.

use actix_web::web::Data;
use diesel::prelude::*;

use crate::app::{App, off_thread};
use crate::db::Conn;
use crate::error::Result;

/// `GET /healthz`: this process answers.
pub async fn healthz() -> &'static str {
    "ok"
}

/// `GET /readyz`: and its databases answer too.
pub async fn readyz(app: Data<App>) -> Result<&'static str> {
    let (main, blocks) = (app.db.clone(), app.blocks.clone());
    off_thread(move || {
        let ask = |conn: &mut Conn| Ok(diesel::sql_query("SELECT 1").execute(conn).map(|_| ())?);
        main.read(ask)?;
        blocks.read(ask)
    })
    .await?;
    Ok("ready")
}
