//! Rows into PostgreSQL by `COPY … (FORMAT binary)`, which is faster than `psql \copy` with its text.

use std::cell::RefCell;
use std::io::Write;

use diesel::pg::{CopyFormat, CopyTarget, Pg};
use diesel::query_builder::AstPass;

use super::staging::{Making, Staging};
use crate::applications::blocks::batch::{Batch, Datum};
use crate::db::Conn;
use crate::db::prelude::*;
use crate::error::{AppError, Result};

diesel::table! {
    /// Diesel wants a table for COPY; the SQL names the staging table instead.
    any_rows (id) {
        id -> BigInt,
    }
}

thread_local! {
    /// What the COPY of this thread goes to: `walk_target` has no `self` to ask.
    static TARGET: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Hands batches over, one by one, to the function that it is given.
pub type Feed<'a> = dyn FnMut(&mut dyn FnMut(&Batch) -> std::io::Result<()>) -> std::io::Result<()> + 'a;

/// The table and columns that `TARGET` names.
struct Named;

impl CopyTarget for Named {
    type Table = any_rows::table;
    type SqlType = diesel::sql_types::BigInt;

    fn walk_target(mut pass: AstPass<'_, '_, Pg>) -> QueryResult<()> {
        TARGET.with_borrow(|target| pass.push_sql(target));
        Ok(())
    }
}

/// Writes batches into a staging table. A COPY, and so a transaction, goes on for as long as batches follow each other.
pub struct PostgresLoader {
    target: String,
    /// The fields of a row that are the same in all of them, as COPY has them, and how many they are.
    same: (Vec<u8>, i16),
    next_row: i64,
    bytes: Vec<u8>,
}

/// Days and microseconds between PostgreSQL's epoch, 2000-01-01, and ours.
const EPOCH_DAYS: i32 = 10_957;
const EPOCH_MICROS: i64 = EPOCH_DAYS as i64 * 86_400_000_000;

const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// Bytes that go to the connection at once.
const CHUNK: usize = 64 * 1024;

impl PostgresLoader {
    /// For batches whose cells are these physical columns.
    pub fn new(staging: &Staging, file: i32, columns: &[String]) -> Self {
        let mut target = format!("{} (_row, _line", staging.table);
        let mut same = (Vec::new(), 0);
        if staging.making == Making::AtOnce {
            target.push_str(", _run, _file");
            put(&mut same.0, &staging.run.id.to_be_bytes());
            put(&mut same.0, &file.to_be_bytes());
            same.1 = 2;
        }
        for column in columns {
            target.push_str(", ");
            target.push_str(column);
        }
        target.push(')');
        Self { target, same, next_row: 1, bytes: Vec::with_capacity(2 * CHUNK) }
    }

    /// Writes all the batches that `feed` hands over, and commits them. An error of `feed` undoes them.
    pub fn copy(&mut self, conn: &mut Conn, feed: &mut Feed<'_>) -> Result<()> {
        let Conn::Pg(conn) = conn else {
            return Err(AppError::internal("COPY needs PostgreSQL"));
        };
        TARGET.set(self.target.clone());
        // The callback is a `Fn`; what it changes stands in cells.
        let (state, feed) = (RefCell::new((&mut self.bytes, &mut self.next_row)), RefCell::new(feed));
        diesel::copy_from(any_rows::table)
            .from_raw_data(Named, |out: &mut dyn Write| -> Result<(), diesel::result::Error> {
                let (bytes, next_row) = &mut *state.borrow_mut();
                bytes.clear();
                bytes.extend_from_slice(SIGNATURE);
                let mut write = |batch: &Batch| -> std::io::Result<()> {
                    encode(batch, **next_row, &self.same, bytes, out)?;
                    **next_row += batch.len() as i64;
                    Ok(())
                };
                let fed = (feed.borrow_mut())(&mut write).and_then(|()| {
                    bytes.extend_from_slice(&(-1i16).to_be_bytes());
                    out.write_all(bytes)
                });
                fed.map_err(|e| diesel::result::Error::SerializationError(Box::new(e)))
            })
            .with_format(CopyFormat::Binary)
            .execute(conn)?;
        Ok(())
    }
}

fn encode(
    batch: &Batch,
    first_row: i64,
    same: &(Vec<u8>, i16),
    bytes: &mut Vec<u8>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let fields = batch.width() as i16 + 2 + same.1;
    for row in 0..batch.len() {
        bytes.extend_from_slice(&fields.to_be_bytes());
        put(bytes, &(first_row + row as i64).to_be_bytes());
        put(bytes, &batch.line(row).to_be_bytes());
        bytes.extend_from_slice(&same.0);
        for datum in batch.row(row) {
            match *datum {
                Datum::Empty => bytes.extend_from_slice(&(-1i32).to_be_bytes()),
                Datum::Text { start, len } => {
                    bytes.extend_from_slice(&(len as i32).to_be_bytes());
                    bytes.extend_from_slice(batch.text(start, len));
                }
                Datum::Integer(number) => put(bytes, &number.to_be_bytes()),
                Datum::Number(number) => put(bytes, &number.to_be_bytes()),
                Datum::Boolean(truth) => put(bytes, &[u8::from(truth)]),
                Datum::Date(days) => put(bytes, &(days - EPOCH_DAYS).to_be_bytes()),
                Datum::Timestamp(micros) => put(bytes, &(micros - EPOCH_MICROS).to_be_bytes()),
            }
        }
        if bytes.len() >= CHUNK {
            out.write_all(bytes)?;
            bytes.clear();
        }
    }
    Ok(())
}

#[inline]
fn put<const N: usize>(bytes: &mut Vec<u8>, value: &[u8; N]) {
    bytes.extend_from_slice(&(N as i32).to_be_bytes());
    bytes.extend_from_slice(value);
}

/// Days since 1970 of a DATE, and microseconds since 1970 of a TIMESTAMPTZ, as the binary protocol gives them.
pub fn date_from(days_since_2000: i32) -> i32 {
    days_since_2000.saturating_add(EPOCH_DAYS)
}

pub fn timestamp_from(micros_since_2000: i64) -> i64 {
    micros_since_2000.saturating_add(EPOCH_MICROS)
}
