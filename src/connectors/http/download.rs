//! A body brought here whole, into a file without a name that is gone once it is closed, however the process ends.

use std::io::{Seek, Write};

use reqwest::Response;
use sha2::{Digest, Sha256};

use super::super::failure::{FailureKind, FetchError, Retry};
use super::super::fetched::hex;
use super::super::{Check, Content, FetchContext, Fetched};
use crate::{spool, words};

/// Progress is told after so many bytes.
const STEP: u64 = 1024 * 1024;

/// Reads `response` to its promised end.
pub(super) async fn download(
    mut response: Response,
    name: String,
    ctx: &FetchContext<'_>,
) -> Result<Fetched, FetchError> {
    let promised = response.content_length();
    let most = ctx.limits.wire_bytes;
    let first = ctx.first.unwrap_or(u64::MAX);
    if ctx.first.is_none() && promised.is_some_and(|bytes| bytes > most) {
        return Err(FetchError::too_large(&ctx.limits));
    }
    let keeping = |e: std::io::Error| FetchError::machine("The download", &e);
    let mut file = spool::file(&ctx.outside.spool_dir).map_err(keeping)?;
    let mut hasher = Sha256::new();
    let (mut bytes, mut told) = (0u64, 0u64);
    let mut whole = true;
    while let Some(mut chunk) = response.chunk().await.map_err(|e| broken(&e, bytes, promised, ctx))? {
        // The beginning is enough: what follows is not read, and the connection closes with the response.
        let room = usize::try_from(first - bytes).unwrap_or(usize::MAX);
        if chunk.len() > room {
            chunk.truncate(room);
            whole = false;
        }
        bytes += chunk.len() as u64;
        if bytes > most {
            return Err(FetchError::too_large(&ctx.limits));
        }
        file.write_all(&chunk).map_err(keeping)?;
        hasher.update(&chunk);
        if bytes - told >= STEP {
            (ctx.progress)(bytes);
            told = bytes;
        }
        if !whole {
            break;
        }
    }
    if whole && promised.is_some_and(|promised| promised != bytes) {
        return Err(cut(bytes, promised));
    }
    (ctx.progress)(bytes);
    file.rewind().map_err(keeping)?;
    let check = Check::downloaded(hex(&hasher.finalize()));
    Ok(Fetched { content: Content::File { file, check }, name, bytes, whole })
}

fn broken(error: &reqwest::Error, bytes: u64, promised: Option<u64>, ctx: &FetchContext<'_>) -> FetchError {
    if !error.is_timeout() {
        return cut(bytes, promised);
    }
    let sentence = format!(
        "The source sent {} and then nothing for {} s. Ask its owner if it lasts.",
        words::bytes(bytes),
        ctx.limits.idle.as_secs_f64()
    );
    FetchError::new(FailureKind::Silent, Retry::Later, sentence)
}

fn cut(bytes: u64, promised: Option<u64>) -> FetchError {
    let of = promised.map(|p| format!(" of {}", words::bytes(p))).unwrap_or_default();
    let sentence = format!(
        "The source broke off after {}{of}; nothing of it was used. Ask its owner if it lasts.",
        words::bytes(bytes)
    );
    FetchError::new(FailureKind::Cut, Retry::Later, sentence)
}
