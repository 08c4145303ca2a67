//! Lines on a terminal that are drawn over again.

use std::io::{self, Write};

/// Lines that are drawn over again.
pub struct Frame {
    to: Box<dyn Write + Send>,
    drawn: usize,
}

impl Frame {
    /// A frame on a stream that is a terminal.
    pub fn on(to: Box<dyn Write + Send>) -> Self {
        Self { to, drawn: 0 }
    }

    /// A frame on stdout.
    pub fn on_stdout() -> Self {
        Self::on(Box::new(io::stdout()))
    }

    /// A frame on stderr.
    pub fn on_stderr() -> Self {
        Self::on(Box::new(io::stderr()))
    }

    /// Draws lines over those that were drawn before; none take them away.
    ///
    /// One write a frame, so that nobody sees half of it. A terminal that went away is
    /// no reason to stop.
    pub fn put(&mut self, lines: &[String]) {
        let up = if self.drawn > 0 { format!("\x1b[{}A", self.drawn) } else { String::new() };
        let drawn: String = lines.iter().flat_map(|line| [line.as_str(), "\x1b[K\n"]).collect();
        let frame = format!("{up}\r{drawn}\x1b[J");
        self.drawn = lines.len();
        self.to.write_all(frame.as_bytes()).and_then(|()| self.to.flush()).ok();
    }

    /// What is drawn stays; the next lines come below.
    pub const fn rest(&mut self) {
        self.drawn = 0;
    }
}

/// Lines that fit into a terminal: what is drawn over again must neither break nor roll away.
pub fn fitting(text: &str, (columns, rows): (usize, usize)) -> Vec<String> {
    // The last column and the last row stay free: some terminals break or roll in them.
    let room = Some(columns.saturating_sub(1));
    let mut lines: Vec<String> =
        text.lines().map(|line| super::table::cut(&super::words::one_line(line), room)).collect();
    let most = rows.saturating_sub(1).max(1);
    if lines.len() > most {
        lines.truncate(most.saturating_sub(1));
        lines.push("…".to_owned());
    }
    lines
}

/// Columns and rows of the terminal on stdout; asked for each frame, for terminals change.
pub fn size_of_stdout() -> (usize, usize) {
    let size = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let known = size.map(|size| (usize::from(size.ws_col), usize::from(size.ws_row)));
    known.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_frame_is_drawn_over_the_one_before() {
        let kept = Kept::default();
        let mut frame = Frame::on(Box::new(kept.clone()));
        frame.put(&["a".to_owned(), "b".to_owned()]);
        frame.put(&["c".to_owned()]);
        frame.rest();
        frame.put(&["d".to_owned()]);
        let said = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        let frames =
            ["\ra\x1b[K\nb\x1b[K\n\x1b[J", "\x1b[2A\rc\x1b[K\n\x1b[J", "\rd\x1b[K\n\x1b[J"];
        assert_eq!(said, frames.concat());
    }

    #[test]
    fn lines_fit_into_the_terminal() {
        let text = "0123456789\nb\nc\nd";
        assert_eq!(fitting(text, (80, 24)).len(), 4);
        assert_eq!(fitting(text, (6, 4)), ["0123…", "b", "…"]);
    }
}
