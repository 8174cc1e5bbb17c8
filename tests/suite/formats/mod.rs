//! Bytes to rows, text to values, and what a file seems to be.

mod either;
mod faults;
mod proposing;
mod reading;
mod round_trip;

use std::io::Read;

use proptest::prelude::ProptestConfig;
use tidegate::formats::{CsvOptions, CsvReader, Format, FormatError, Limits, ReadOptions};

fn with(change: impl FnOnce(&mut ReadOptions)) -> ReadOptions {
    let mut options = ReadOptions::default();
    change(&mut options);
    options
}

/// CSV with other punctuation.
fn csv(change: impl FnOnce(&mut CsvOptions)) -> ReadOptions {
    let mut csv = CsvOptions::default();
    change(&mut csv);
    ReadOptions::of(Format::Csv(csv))
}

/// Reads CSV as the options say; the name tells the compression.
fn open<R: Read>(reader: R, options: &ReadOptions, name: &str) -> Result<CsvReader<R>, FormatError> {
    open_within(reader, options, name, Limits::default())
}

fn open_within<R: Read>(
    reader: R,
    options: &ReadOptions,
    name: &str,
    limits: Limits,
) -> Result<CsvReader<R>, FormatError> {
    CsvReader::open(reader, options.csv().unwrap(), options.compression_of(name), limits)
}

/// As many cases as usual; what failed is in the output, and no file is left in the tree.
fn cases() -> ProptestConfig {
    ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A file of `tests/data`.
fn data(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}
