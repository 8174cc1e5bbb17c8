//! From the bytes that a connector gives to UTF-8 text: decompression, the limit on what comes out of it, the
//! byte-order mark, and decoding. Each stage streams, and each tells its own faults from those of the one below.

use std::collections::VecDeque;
use std::io::{self, BufReader, Read};

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};
use flate2::bufread::MultiGzDecoder;

use super::failure::FormatError;
use super::options::Compression;

/// The decompressed bytes of a source, as many as the limit allows.
pub(super) struct Bytes<R: Read> {
    stage: Stage<R>,
    given: u64,
    limit: u64,
    /// Whether the reader gives all of the source, or its beginning alone.
    whole: bool,
}

// There is one per file, so its size does not matter.
#[allow(clippy::large_enum_variant)]
enum Stage<R: Read> {
    Plain(Wire<R>),
    Gzip(MultiGzDecoder<BufReader<Wire<R>>>),
}

impl<R: Read> Bytes<R> {
    pub fn new(reader: R, compression: Compression, limit: u64) -> Self {
        let wire = Wire(reader);
        let stage = match compression {
            Compression::None => Stage::Plain(wire),
            Compression::Gzip => Stage::Gzip(MultiGzDecoder::new(BufReader::with_capacity(64 * 1024, wire))),
        };
        Self { stage, given: 0, limit, whole: true }
    }

    /// Of a beginning, what is compressed may end anywhere.
    pub fn whole(self, whole: bool) -> Self {
        Self { whole, ..self }
    }

    pub fn given(&self) -> u64 {
        self.given
    }
}

impl<R: Read> Read for Bytes<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.stage {
            Stage::Plain(wire) => wire.read(out)?,
            Stage::Gzip(gzip) => match gzip.read(out) {
                Ok(count) => count,
                Err(error) => match FormatError::from_io(error, |own| match own.kind() {
                    io::ErrorKind::UnexpectedEof => FormatError::CutCompressed,
                    _ => FormatError::BadCompressed(own.to_string()),
                }) {
                    FormatError::CutCompressed if !self.whole => 0,
                    failed => return Err(failed.into_io()),
                },
            },
        };
        self.given += count as u64;
        if self.given > self.limit {
            return Err(FormatError::TooLarge(size(self.limit)).into_io());
        }
        Ok(count)
    }
}

fn size(bytes: u64) -> String {
    const GIB: u64 = 1024 * 1024 * 1024;
    if bytes >= GIB && bytes.is_multiple_of(GIB) {
        format!("{} GiB when decompressed", bytes / GIB)
    } else {
        format!("{bytes} bytes when decompressed")
    }
}

/// The connector's own reader: what fails here is its fault, and is marked as such on the way up.
struct Wire<R>(R);

impl<R: Read> Read for Wire<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(out) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(FormatError::from_io(error, FormatError::Read).into_io()),
                ok => return ok,
            }
        }
    }
}

/// The text of a source. Text that was UTF-8 from the start is handed on unlooked-at (the row reader checks it);
/// any other encoding is decoded here, and what could not be is remembered by its place.
pub(super) struct Text<R: Read> {
    bytes: Bytes<R>,
    /// The first bytes, looked at for a mark and not yet handed on.
    head: Vec<u8>,
    decoding: Option<Decoding>,
    encoding: &'static Encoding,
}

struct Decoding {
    decoder: Decoder,
    raw: Vec<u8>,
    start: usize,
    end: usize,
    /// The source has ended; and the decoder has said its last.
    ended: bool,
    done: bool,
    written: u64,
    /// Where in the decoded text a U+FFFD stands for bytes that meant nothing.
    bad: VecDeque<u64>,
}

/// A place where bytes could not be decoded is written as this.
const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// `Text::read` wants at least this much room.
pub(super) const ROOM: usize = 64;

impl<R: Read> Text<R> {
    /// A byte-order mark wins over the encoding that was asked for, and is not part of the text.
    pub fn new(mut bytes: Bytes<R>, asked: &'static Encoding) -> Result<Self, FormatError> {
        let mut head = vec![0; 4];
        let mut filled = 0;
        while filled < head.len() {
            match bytes.read(&mut head[filled..]).map_err(plain)? {
                0 => break,
                count => filled += count,
            }
        }
        head.truncate(filled);
        refuse_what_is_no_text(&head)?;
        let encoding = match Encoding::for_bom(&head) {
            Some((marked, length)) => {
                head.drain(..length);
                marked
            }
            None => asked,
        };
        let decoding = (encoding != UTF_8).then(|| {
            let mut raw = vec![0; 64 * 1024];
            raw[..head.len()].copy_from_slice(&head);
            Decoding {
                decoder: encoding.new_decoder_without_bom_handling(),
                raw,
                start: 0,
                end: head.len(),
                ended: false,
                done: false,
                written: 0,
                bad: VecDeque::new(),
            }
        });
        if decoding.is_some() {
            head.clear();
        }
        Ok(Self { bytes, head, decoding, encoding })
    }

    pub fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// Was the text decoded here, and is UTF-8 for certain?
    pub fn is_decoded(&self) -> bool {
        self.decoding.is_some()
    }

    /// Decompressed bytes read so far.
    pub fn given(&self) -> u64 {
        self.bytes.given()
    }

    /// Fills some of `out`, which has at least [`ROOM`]; 0 at the end.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, FormatError> {
        match &mut self.decoding {
            None if self.head.is_empty() => self.bytes.read(out).map_err(plain),
            None => {
                let count = self.head.len();
                out[..count].copy_from_slice(&self.head);
                self.head.clear();
                Ok(count)
            }
            Some(decoding) => decoding.read(&mut self.bytes, out),
        }
    }

    /// How many such places there was room for at most.
    #[cfg(test)]
    pub fn room_for_bad(&self) -> usize {
        self.decoding.as_ref().map_or(0, |decoding| decoding.bad.capacity())
    }

    /// The next place before `offset` (of the decoded text) that could not be decoded; each is given once.
    pub fn next_bad_before(&mut self, offset: u64) -> Option<u64> {
        let bad = &mut self.decoding.as_mut()?.bad;
        if *bad.front()? < offset { bad.pop_front() } else { None }
    }
}

impl Decoding {
    fn read<R: Read>(&mut self, bytes: &mut Bytes<R>, out: &mut [u8]) -> Result<usize, FormatError> {
        while !self.done {
            if self.start == self.end && !self.ended {
                (self.start, self.end) = (0, bytes.read(&mut self.raw).map_err(plain)?);
                self.ended = self.end == 0;
            }
            let room = out.len() - REPLACEMENT.len();
            let (result, read, mut written) = self.decoder.decode_to_utf8_without_replacement(
                &self.raw[self.start..self.end],
                &mut out[..room],
                self.ended,
            );
            self.start += read;
            match result {
                DecoderResult::Malformed(..) => {
                    self.bad.push_back(self.written + written as u64);
                    out[written..written + REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
                    written += REPLACEMENT.len();
                }
                DecoderResult::InputEmpty => self.done = self.ended,
                DecoderResult::OutputFull => {}
            }
            self.written += written as u64;
            if written > 0 {
                return Ok(written);
            }
        }
        Ok(0)
    }
}

fn plain(error: io::Error) -> FormatError {
    FormatError::from_io(error, FormatError::Read)
}

/// Files that people take for CSV and that are not, known by their first bytes.
pub(super) fn refuse_what_is_no_text(head: &[u8]) -> Result<(), FormatError> {
    let words = match head {
        [0x1f, 0x8b, ..] => {
            "The file is compressed with gzip, though its name does not end in .gz. \
             Set the source's compression to gzip."
        }
        [b'P', b'K', 3, 4, ..] => {
            "The file is a zip archive or a spreadsheet, not CSV. Save it as CSV, or unpack it first."
        }
        [b'P', b'A', b'R', b'1', ..] => "The file is Parquet, not CSV. Save it as CSV.",
        _ => return Ok(()),
    };
    Err(FormatError::NotCsv(words.to_owned()))
}
