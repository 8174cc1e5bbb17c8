//! Kept files in the Block database: of each a row and its chunks.

use std::io::{Read, Seek, SeekFrom};

use sha2::{Digest, Sha256};

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::block_db::{file_chunks, files};
use crate::db::{Pool, meaning};
use crate::error::{AppError, Result};
use crate::spool::{Spool, Spooled};
use crate::words;

/// Bytes of one chunk: small enough that no transaction is long, large enough that a file has few.
const CHUNK: usize = 1 << 20;

/// The size of a file that is still arriving.
const ARRIVING: i64 = -1;

/// A kept file. Read it as often as needed: [`Stored::reader`] begins at its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    pub id: i64,
    /// As it was called where it came from; its ending tells the compression.
    pub name: String,
    pub bytes: i64,
    /// Of all its bytes, in hexadecimal.
    pub sha256: String,
}

/// Keeps all that the reader gives and answers the file's id. Each chunk is a transaction of its own, so that a large
/// file blocks nobody. Blocks: call it from a blocking thread.
pub fn save(blocks: &Pool, name: &str, mut reader: impl Read, now: Moment) -> Result<i64> {
    let id: i64 = blocks.write(|conn| {
        Ok(diesel::insert_into(files::table)
            .values((files::name.eq(name), files::bytes.eq(ARRIVING), files::sha256.eq(""), files::made_at.eq(now)))
            .returning(files::id)
            .get_result(conn)?)
    })?;
    let kept = keep_chunks(blocks, id, &mut reader);
    if kept.is_err() {
        // The first error is the one worth telling.
        let _ = remove(blocks, id);
    }
    kept.map(|()| id)
}

fn keep_chunks(blocks: &Pool, id: i64, reader: &mut impl Read) -> Result<()> {
    let mut hasher = Sha256::new();
    let mut total = 0i64;
    for position in 0.. {
        let mut data = Vec::new();
        reader.take(CHUNK as u64).read_to_end(&mut data).map_err(AppError::internal)?;
        if data.is_empty() {
            break;
        }
        hasher.update(&data);
        total += data.len() as i64;
        blocks.write(|conn| {
            diesel::insert_into(file_chunks::table)
                .values((file_chunks::file_id.eq(id), file_chunks::position.eq(position), file_chunks::data.eq(data)))
                .execute(conn)?;
            Ok(())
        })?;
    }
    let sha256 = words::hex(&hasher.finalize());
    blocks.write(|conn| {
        diesel::update(files::table.filter(files::id.eq(id)))
            .set((files::bytes.eq(total), files::sha256.eq(sha256)))
            .execute(conn)?;
        Ok(())
    })
}

/// A kept file; `NotFound` when it is not there, was removed, or never arrived whole.
pub fn open(blocks: &Pool, id: i64) -> Result<Stored> {
    let row: Option<(i64, String, i64, String)> = blocks.read(|conn| {
        Ok(files::table
            .filter(files::id.eq(id).and(files::bytes.ge(0)))
            .select((files::id, files::name, files::bytes, files::sha256))
            .first(conn)
            .optional()?)
    })?;
    let (id, name, bytes, sha256) = row.ok_or(AppError::NotFound)?;
    Ok(Stored { id, name, bytes, sha256 })
}

impl Stored {
    /// Its bytes from the start, a chunk in memory at a time. Blocks.
    pub fn reader(&self, blocks: &Pool) -> StoredReader {
        StoredReader { blocks: blocks.clone(), id: self.id, bytes: self.bytes, position: 0, chunk: Vec::new(), at: 0 }
    }

    /// Its bytes as a nameless file in the spool folder, positioned at the beginning. Blocks. `Conflict` when not all of
    /// them are there any more: a part of a file is no file.
    pub fn to_file(&self, blocks: &Pool, spool: &Spool) -> Result<Spooled> {
        let mut file = spool.file().map_err(meaning::of_io)?;
        let copied = std::io::copy(&mut self.reader(blocks), &mut file)
            .map_err(|error| error.downcast::<AppError>().unwrap_or_else(meaning::of_io))?;
        if i64::try_from(copied).ok() != Some(self.bytes) {
            return Err(AppError::Conflict(format!(
                "Only {} of the {} bytes of {} are still stored. Upload the file again.",
                words::count(i64::try_from(copied).unwrap_or(i64::MAX)),
                words::count(self.bytes),
                self.name
            )));
        }
        std::io::Seek::rewind(&mut file).map_err(AppError::internal)?;
        Ok(file)
    }
}

/// Reads a kept file chunk by chunk.
pub struct StoredReader {
    blocks: Pool,
    id: i64,
    bytes: i64,
    /// The chunk that comes next; and of the one before, what was read of it.
    position: i32,
    chunk: Vec<u8>,
    at: usize,
}

impl Read for StoredReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if self.at >= self.chunk.len() {
            let skipped = self.at - self.chunk.len();
            let (id, position) = (self.id, self.position);
            let next: Option<Vec<u8>> = self
                .blocks
                .read(|conn| {
                    Ok(file_chunks::table
                        .filter(file_chunks::file_id.eq(id).and(file_chunks::position.eq(position)))
                        .select(file_chunks::data)
                        .first(conn)
                        .optional()?)
                })
                .map_err(std::io::Error::other)?;
            let Some(next) = next else { return Ok(0) };
            self.at = skipped.min(next.len());
            self.chunk = next;
            self.position += 1;
        }
        let count = out.len().min(self.chunk.len() - self.at);
        out[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

impl Seek for StoredReader {
    /// Chunks are of one size, but for the last.
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => i64::try_from(place).ok(),
            SeekFrom::End(after) => self.bytes.checked_add(after),
            SeekFrom::Current(after) => {
                let before = i64::from(self.position) * CHUNK as i64 - (self.chunk.len() as i64 - self.at as i64);
                before.checked_add(after)
            }
        };
        let beyond = || std::io::Error::from(std::io::ErrorKind::InvalidInput);
        let place = place.filter(|place| *place >= 0).ok_or_else(beyond)?;
        self.chunk = Vec::new();
        self.position = i32::try_from(place / CHUNK as i64).map_err(|_| beyond())?;
        self.at = usize::try_from(place % CHUNK as i64).map_err(|_| beyond())?;
        Ok(place.unsigned_abs())
    }
}

/// Removes a kept file, a chunk at a time: nobody waits for a large one. Its end goes first, so that what is left when the
/// process dies in between is found again.
pub fn remove(blocks: &Pool, id: i64) -> Result<()> {
    loop {
        let last: Option<i32> = blocks.read(|conn| {
            Ok(file_chunks::table
                .filter(file_chunks::file_id.eq(id))
                .select(diesel::dsl::max(file_chunks::position))
                .first(conn)?)
        })?;
        let Some(last) = last else { break };
        // The few chunks of a small file go together.
        blocks.write(|conn| {
            let those = file_chunks::table.filter(file_chunks::file_id.eq(id));
            diesel::delete(those.filter(file_chunks::position.gt(last - 4))).execute(conn)?;
            Ok(())
        })?;
    }
    blocks.write(|conn| {
        diesel::delete(files::table.filter(files::id.eq(id))).execute(conn)?;
        Ok(())
    })
}

/// The next files made before a moment, by id; also what arrived in part.
pub fn made_before(blocks: &Pool, moment: Moment, after: i64, limit: i64) -> Result<Vec<i64>> {
    blocks.read(|conn| {
        Ok(files::table
            .filter(files::made_at.lt(moment).and(files::id.gt(after)))
            .order(files::id)
            .limit(limit)
            .select(files::id)
            .load(conn)?)
    })
}
