//! A body brought here whole, into a file without a name that is gone once it is closed, however the process ends. What
//! was packed for the way is unpacked as it comes, so that what lies here is the file that was asked for.

use std::io::{Seek, Write};

use flate2::write::MultiGzDecoder;
use reqwest::Response;
use sha2::{Digest, Sha256};

use super::super::failure::{FailureKind, FetchError, Retry};
use super::super::{Check, Content, FetchContext, Fetched};
use super::answer::Packing;
use crate::spool::Spooled;
use crate::words;

/// Progress is told after so many bytes.
const STEP: u64 = 1024 * 1024;

/// Reads `response` to its promised end.
pub(super) async fn download(
    mut response: Response,
    packing: Packing,
    name: String,
    ctx: &FetchContext<'_>,
) -> Result<Fetched, FetchError> {
    let promised = response.content_length();
    let most = ctx.limits.wire_bytes;
    if ctx.first.is_none() && promised.is_some_and(|bytes| bytes > most) {
        return Err(FetchError::too_large(&ctx.limits));
    }
    let mut body = Body::new(packing, ctx)?;
    let (mut bytes, mut told) = (0u64, 0u64);
    while let Some(chunk) = response.chunk().await.map_err(|e| broken(&e, bytes, promised, ctx))? {
        bytes += chunk.len() as u64;
        if bytes > most {
            return Err(FetchError::too_large(&ctx.limits));
        }
        body.add(&chunk)?;
        if body.bytes - told >= STEP {
            (ctx.progress)(body.bytes);
            told = body.bytes;
        }
        // The beginning is enough: what follows is not read, and the connection closes with the response.
        if !body.whole {
            break;
        }
    }
    if body.whole && promised.is_some_and(|promised| promised != bytes) {
        return Err(cut(bytes, promised));
    }
    body.end()?;
    (ctx.progress)(body.bytes);
    let Body { mut file, hasher, bytes, whole, .. } = body;
    file.rewind().map_err(|error| FetchError::machine(DOWNLOAD, &error))?;
    let (file, room) = file.into_parts();
    let check = Check::ours(words::hex(&hasher.finalize()), room);
    Ok(Fetched { content: Content::File { file, check }, name, bytes, whole })
}

const DOWNLOAD: &str = "The download";

/// So much is unpacked at a time: a few MiB at most, however well it was packed.
const PIECE: usize = 4 * 1024;

/// What has come so far.
struct Body<'a> {
    file: Spooled,
    hasher: Sha256,
    /// Unpacked.
    bytes: u64,
    /// More came than the beginning that was asked for, which is kept alone.
    whole: bool,
    packed: Option<MultiGzDecoder<Vec<u8>>>,
    ctx: &'a FetchContext<'a>,
}

impl<'a> Body<'a> {
    fn new(packing: Packing, ctx: &'a FetchContext<'a>) -> Result<Self, FetchError> {
        let file = ctx.outside.spool.file().map_err(|error| FetchError::machine(DOWNLOAD, &error))?;
        let packed = (packing == Packing::Gzip).then(|| MultiGzDecoder::new(Vec::new()));
        Ok(Self { file, hasher: Sha256::new(), bytes: 0, whole: true, packed, ctx })
    }

    fn add(&mut self, chunk: &[u8]) -> Result<(), FetchError> {
        let Some(mut decoder) = self.packed.take() else { return self.keep(chunk) };
        for piece in chunk.chunks(PIECE) {
            decoder.write_all(piece).map_err(|_| not_packed_so())?;
            self.keep(decoder.get_ref())?;
            decoder.get_mut().clear();
        }
        self.packed = Some(decoder);
        Ok(())
    }

    fn end(&mut self) -> Result<(), FetchError> {
        let Some(mut decoder) = self.packed.take().filter(|_| self.whole) else { return Ok(()) };
        decoder.try_finish().map_err(|_| not_packed_so())?;
        self.keep(decoder.get_ref())
    }

    fn keep(&mut self, unpacked: &[u8]) -> Result<(), FetchError> {
        let room = self.ctx.first.map_or(usize::MAX, |first| usize::try_from(first - self.bytes).unwrap_or(usize::MAX));
        let kept = &unpacked[..unpacked.len().min(room)];
        self.whole &= kept.len() == unpacked.len();
        self.bytes += kept.len() as u64;
        if self.bytes > self.ctx.limits.decoded_bytes {
            return Err(FetchError::too_large_unpacked(&self.ctx.limits));
        }
        self.hasher.update(kept);
        self.file.write_all(kept).map_err(|error| FetchError::machine(DOWNLOAD, &error))
    }
}

fn not_packed_so() -> FetchError {
    FetchError::new(
        FailureKind::Cut,
        Retry::Later,
        "The source sent an answer compressed with gzip that cannot be fully decompressed; nothing of it was \
         used. If this persists, ask its owner.",
    )
}

fn broken(error: &reqwest::Error, bytes: u64, promised: Option<u64>, ctx: &FetchContext<'_>) -> FetchError {
    if !error.is_timeout() {
        return cut(bytes, promised);
    }
    let sentence = format!(
        "The source sent {} and then nothing for {} s. If this persists, ask its owner.",
        words::bytes(bytes),
        ctx.limits.idle.as_secs_f64()
    );
    FetchError::new(FailureKind::Silent, Retry::Later, sentence)
}

fn cut(bytes: u64, promised: Option<u64>) -> FetchError {
    let of = promised.map(|p| format!(" of {}", words::bytes(p))).unwrap_or_default();
    let sentence = format!(
        "The source broke off after {}{of}; nothing was used. If this persists, ask its owner.",
        words::bytes(bytes)
    );
    FetchError::new(FailureKind::Cut, Retry::Later, sentence)
}
