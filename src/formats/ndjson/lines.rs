//! The lines of a stream, in a buffer that is used again.

use std::io::Read;

use memchr::memchr;

use super::BUFFER;
use crate::formats::failure::FormatError;
use crate::formats::source::Bytes;

/// The lines of a text that are not blank, one at a time.
pub struct Lines<R: Read> {
    pub bytes: Bytes<R>,
    buffer: Vec<u8>,
    /// What is not yet handed out is `buffer[start..end]`; before `searched` no line ends in it.
    start: usize,
    end: usize,
    searched: usize,
    ended: bool,
    most: usize,
    /// The current line: its bytes, its number from 1, the bytes before it.
    found: std::ops::Range<usize>,
    pub number: u64,
    pub offset: u64,
    passed: u64,
    /// Lines that held nothing.
    pub blank: u64,
    /// It is longer than may be kept, and was passed over.
    pub too_long: bool,
}

impl<R: Read> Lines<R> {
    pub fn new(bytes: Bytes<R>, most: usize) -> Self {
        Self {
            bytes,
            buffer: vec![0; BUFFER],
            start: 0,
            end: 0,
            searched: 0,
            ended: false,
            most,
            found: 0..0,
            number: 0,
            offset: 0,
            passed: 0,
            blank: 0,
            too_long: false,
        }
    }

    pub fn line(&self) -> &[u8] {
        &self.buffer[self.found.clone()]
    }

    /// To the next line that is not blank; false at the end.
    pub fn next(&mut self) -> Result<bool, FormatError> {
        self.too_long = false;
        loop {
            let searched = self.searched.max(self.start);
            if let Some(end) = memchr(b'\n', &self.buffer[searched..self.end]) {
                self.take(searched + end, 1);
            } else if self.ended {
                // Of a line that was passed over nothing is left, and it is a line all the same.
                if self.start == self.end && !self.too_long {
                    return Ok(false);
                }
                self.take(self.end, 0);
            } else {
                self.searched = self.end;
                self.more()?;
                continue;
            }
            if self.too_long || !self.line().trim_ascii().is_empty() {
                return Ok(true);
            }
            self.blank += 1;
        }
    }

    /// The line ends here, before so many bytes that end it.
    fn take(&mut self, end: usize, breaks: usize) {
        self.found = if self.too_long { end..end } else { self.start..end };
        self.number += 1;
        self.offset = self.passed;
        self.passed += (end + breaks - self.start) as u64;
        self.start = end + breaks;
        // A mark before the first line belongs to no value.
        if self.number == 1 && self.line().starts_with(b"\xef\xbb\xbf") {
            self.found.start += 3;
        }
    }

    /// Brings in as much as the buffer holds, which is doubled for a line that fills it, up to what may be kept.
    fn more(&mut self) -> Result<(), FormatError> {
        if self.end - self.start > self.most || self.too_long {
            self.too_long = true;
            self.passed += (self.end - self.start) as u64;
            self.start = self.end;
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.searched = self.end;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        match self.bytes.read(&mut self.buffer[self.end..]).map_err(|e| FormatError::from_io(e, FormatError::Read))? {
            0 => self.ended = true,
            count => self.end += count,
        }
        Ok(())
    }
}
