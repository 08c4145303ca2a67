//! The real binary on a real terminal: a pseudo-terminal of some size, and what it then shows.

use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

/// So high that nothing scrolls away.
const ROWS: u16 = 200;

/// A program on a terminal.
pub(crate) struct OnTerminal {
    child: Child,
    coming: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    columns: u16,
}

/// What was on the terminal when the program had ended.
pub(crate) struct Shown {
    pub(crate) code: Option<i32>,
    /// What the screen showed in the end; lines end where their text ends.
    pub(crate) text: String,
    /// Every byte that was sent to the terminal.
    pub(crate) bytes: String,
}

/// Says whether this machine has pseudo-terminals; a bare container may have none.
#[expect(clippy::print_stderr, reason = "whoever reads the run has to know what was left out")]
pub(crate) fn there_or_skip() -> bool {
    let there = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).is_ok();
    if !there {
        eprintln!("skipped: no pseudo-terminals here, screens are not taken");
    }
    there
}

impl OnTerminal {
    /// Starts a command with its three streams on a terminal of so many columns.
    pub(crate) fn start(mut command: Command, columns: u16) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let line: OwnedFd = open(name.as_c_str(), flags, Mode::empty()).unwrap();
        let size = Winsize { ws_row: ROWS, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&line, size).unwrap();
        let end = || Stdio::from(line.try_clone().unwrap());
        command.env("TERM", "xterm-256color").env("LANG", "C.UTF-8");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().unwrap();
        // The command holds ends of the line as well; the reader waits for the last to close.
        drop(command);
        drop(line);
        let (sender, coming) = channel();
        std::thread::spawn(move || read(File::from(master), &sender));
        Self { child, coming, bytes: Vec::new(), columns }
    }

    /// Waits until the screen shows something, then sends a signal (`INT`, `TERM`, …).
    pub(crate) fn signal_when(mut self, text: &str, signal: &str) -> Self {
        while !self.screen().contains(text) {
            let some = self.coming.recv().expect("it ended without ever showing that");
            self.bytes.extend(some);
        }
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill").args([&format!("-{signal}"), &id]).status().unwrap().success()
        );
        self
    }

    /// What is on the screen; lines end where their text ends.
    fn screen(&self) -> String {
        let mut screen = vt100::Parser::new(ROWS, self.columns, 0);
        screen.process(&self.bytes);
        let rows = screen.screen().rows(0, self.columns);
        let rows: Vec<String> = rows.map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n").trim_end().to_owned()
    }

    /// Waits for the end.
    pub(crate) fn ends(mut self) -> Shown {
        while let Ok(some) = self.coming.recv() {
            self.bytes.extend(some);
        }
        let code = self.child.wait().unwrap().code();
        let bytes = String::from_utf8_lossy(&self.bytes).into_owned();
        Shown { code, text: self.screen(), bytes }
    }
}

/// Reads until nobody holds the other end any more, which Linux reports as an error.
fn read(mut master: File, to: &Sender<Vec<u8>>) {
    let mut some = [0; 4096];
    while let Ok(length @ 1..) = master.read(&mut some) {
        if to.send(some[..length].to_vec()).is_err() {
            return;
        }
    }
}
