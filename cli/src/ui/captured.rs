//! Streams that keep what was written, for tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What was written to the streams of [`Ui::captured`](super::Ui::captured).
#[derive(Clone, Debug, Default)]
pub struct Captured {
    pub(super) out: Kept,
    pub(super) err: Kept,
}

impl Captured {
    /// What stdout would have got.
    pub fn out(&self) -> String {
        self.out.text()
    }

    /// What stderr would have got.
    pub fn err(&self) -> String {
        self.err.text()
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
