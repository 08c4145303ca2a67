//! All requests so far, in memory and as the text that `GET /sandbox/log` answers.

use crate::Error;
use crate::ledger::LogLine;
use crate::persist::Shelf;

/// The log. Its text is kept too: a long log is read often while a test waits.
#[derive(Debug, Default)]
pub(crate) struct Log {
    last: Option<LogLine>,
    /// The lines as JSON, with commas between them.
    text: Vec<u8>,
}

impl Log {
    /// A log that goes on where `lines` end.
    pub(crate) fn of(lines: Vec<LogLine>) -> Result<Self, Error> {
        let mut log = Self::default();
        for line in lines {
            log.push(line, None)?;
        }
        Ok(log)
    }

    /// Adds a line, on disk too where there is one.
    pub(crate) fn push(&mut self, line: LogLine, disk: Option<&mut Shelf>) -> Result<(), Error> {
        let mut text = serde_json::to_vec(&line).map_err(Error::Write)?;
        if self.last.is_some() {
            self.text.push(b',');
        }
        self.text.extend_from_slice(&text);
        self.last = Some(line);
        text.push(b'\n');
        disk.map_or(Ok(()), |disk| disk.append(&text))
    }

    /// The number of the next line.
    pub(crate) fn next_seq(&self) -> u64 {
        self.last.as_ref().map_or(1, |line| line.seq + 1)
    }

    /// All lines, as a JSON list.
    pub(crate) fn json(&self) -> Vec<u8> {
        let mut list = Vec::with_capacity(self.text.len() + 2);
        list.push(b'[');
        list.extend_from_slice(&self.text);
        list.push(b']');
        list
    }

    /// The last line.
    #[cfg(test)]
    pub(crate) fn last(&self) -> Option<&LogLine> {
        self.last.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn the_text_is_a_list_from_the_first_line_to_the_last() {
        let mut log = Log::default();
        assert_eq!((log.json(), log.next_seq()), (b"[]".to_vec(), 1));
        for seq in 1..=3 {
            log.push(LogLine::sample(seq), None).unwrap();
        }
        let list: Vec<LogLine> = serde_json::from_slice(&log.json()).unwrap();
        assert_eq!(list, [LogLine::sample(1), LogLine::sample(2), LogLine::sample(3)]);
        assert_eq!(log.next_seq(), 4);
        let again = Log::of(list).unwrap();
        assert_eq!(again.json(), log.json());
        let first: Value = serde_json::from_slice(&again.json()).unwrap();
        assert_eq!(first[0]["seq"], 1);
    }
}
