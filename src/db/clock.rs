//! The clock that several processes on one PostgreSQL share: the server's. Between two looks at it, the time that
//! passed is taken from the machine's monotonic clock, so that a machine whose clock is wrong does no harm.

use std::sync::{Arc, RwLock};
use std::time::Instant;

use diesel::prelude::*;

use super::{Conn, IdRow, Pool};
use crate::clock::{Clock, Moment};
use crate::error::{AppError, Result};

pub struct ServerClock {
    pool: Pool,
    seen: RwLock<(Moment, Instant)>,
}

impl ServerClock {
    pub fn start(pool: Pool) -> Result<Arc<Self>> {
        let seen = pool.read(look)?;
        Ok(Arc::new(Self { pool, seen: RwLock::new(seen) }))
    }

    /// Asks the server again; call it now and then from a blocking thread.
    pub fn refresh(&self) -> Result<()> {
        let seen = self.pool.read(look)?;
        *self.seen.write().unwrap_or_else(|poisoned| poisoned.into_inner()) = seen;
        Ok(())
    }
}

impl Clock for ServerClock {
    fn now(&self) -> Moment {
        let (moment, at) = *self.seen.read().unwrap_or_else(|poisoned| poisoned.into_inner());
        Moment::from_micros(moment.micros() + at.elapsed().as_micros() as i64)
    }
}

fn look(conn: &mut Conn) -> Result<(Moment, Instant)> {
    let Conn::Pg(conn) = conn else {
        return Err(AppError::internal("only PostgreSQL has a server's clock"));
    };
    let asked = Instant::now();
    let row: IdRow =
        diesel::sql_query("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT AS id").get_result(conn)?;
    // Half of the way there and back has passed when the server looked.
    Ok((Moment::from_micros(row.id), asked + asked.elapsed() / 2))
}
