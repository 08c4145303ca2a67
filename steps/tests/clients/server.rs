//! A server of a few lines: takes one request a connection, answers as it was told.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What to do with the next request.
pub(crate) enum Reply {
    /// Answers with a status and a JSON body.
    Json(u16, Value),
    /// Answers with a status, a header and a JSON body.
    Header(u16, &'static str, String, Value),
    /// Sends these bytes and closes.
    Raw(Vec<u8>),
    /// Reads the request and closes without a word.
    Lost,
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    /// The form as pairs, decoded.
    pub(crate) fn form(&self) -> BTreeMap<String, String> {
        let decode =
            |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into();
        let pairs = self.body.split('&').filter_map(|pair| pair.split_once('='));
        pairs.map(|(key, value)| (decode(key), decode(value))).collect()
    }

    /// One parameter of the form, empty when it is missing.
    pub(crate) fn param(&self, name: &str) -> String {
        self.form().remove(name).unwrap_or_default()
    }

    /// The JSON body.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }
}

/// The server; it ends with the test.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// Starts a server with its answers in order; afterwards it only closes.
    pub(crate) async fn start(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            let mut replies = replies.into_iter();
            while let Ok((mut stream, _)) = listener.accept().await {
                let Some(request) = read(&mut stream).await else { continue };
                log.lock().unwrap().push(request);
                answer(&mut stream, replies.next().unwrap_or(Reply::Lost)).await;
            }
        });
        Self { url, seen }
    }

    /// Every request so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

async fn read(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.split("\r\n");
            let mut first = lines.next()?.split(' ');
            let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
            let headers: BTreeMap<String, String> = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.get("content-length").map_or(0, |text| text.parse().unwrap());
            if body.len() >= length {
                return Some(Seen { method, target, headers, body: body.to_owned() });
            }
        }
        let got = stream.read(&mut buffer).await.ok().filter(|got| *got > 0)?;
        bytes.extend_from_slice(&buffer[..got]);
    }
}

async fn answer(stream: &mut TcpStream, reply: Reply) {
    let json = |status: u16, header: String, body: Value| {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nConnection: close\r\n\
             {header}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    };
    let bytes = match reply {
        Reply::Json(status, body) => json(status, String::new(), body),
        Reply::Header(status, name, value, body) => {
            json(status, format!("{name}: {value}\r\n"), body)
        }
        Reply::Raw(bytes) => bytes,
        Reply::Lost => Vec::new(),
    };
    // The client may have gone away over a body that is too long.
    stream.write_all(&bytes).await.ok();
    stream.shutdown().await.ok();
}
