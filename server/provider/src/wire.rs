//! The vendors' formats, a module each. What they share (sending, timeouts, cancelling, errors) is in `http`.

pub(crate) mod anthropic;
pub(crate) mod openai;

use std::io;

use serde::Serialize;

/// The size of `body` as JSON, without writing it anywhere.
fn json_bytes(body: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // Neither the writer nor the types can fail: every map key is a string.
    let written = serde_json::to_writer(&mut count, body);
    debug_assert!(written.is_ok());
    count.0
}
