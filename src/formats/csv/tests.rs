use super::*;

#[test]
fn an_endless_row_that_cannot_be_decoded_takes_no_memory() {
    let lone = std::io::Cursor::new(b"\xff\xfe").chain(Surrogates(0).take(8 << 20));
    let limits = Limits { row_bytes: 1 << 20, ..Limits::default() };
    let plain = CsvOptions { header: false, ..CsvOptions::default() };
    let dialect = plain.dialect().unwrap();
    let bytes = Bytes::new(lone, Compression::None, limits.decoded_bytes);
    let mut reader = CsvReader::over(bytes, &dialect, limits).unwrap();
    let mut record = Record::new();
    assert!(reader.next(&mut record).unwrap());
    assert_eq!(record.damage().iter().map(Damage::code).collect::<Vec<_>>(), ["row_too_long"]);
    assert!(!reader.next(&mut record).unwrap());
    let most = 4 * limits.row_bytes / 3;
    assert!(reader.text.room_for_bad() < most, "{} places were kept", reader.text.room_for_bad());
}

/// A lone surrogate, again and again, in UTF-16LE.
struct Surrogates(usize);

impl Read for Surrogates {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        for byte in out.iter_mut() {
            *byte = if self.0.is_multiple_of(2) { 0x00 } else { 0xd8 };
            self.0 += 1;
        }
        Ok(out.len())
    }
}
