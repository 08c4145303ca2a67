//! Asking one named DNS server for the addresses of a name.

use escrr_engine::{Fault, Report};
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// The largest answer by UDP without extensions, in bytes; a longer one is asked for by TCP.
const LARGEST: usize = 512;

/// The IPv4 addresses of `domain`, as `server` says; `id` marks the question.
pub(crate) async fn resolve(
    server: SocketAddr,
    domain: &str,
    id: u16,
) -> Result<BTreeSet<Ipv4Addr>, Fault> {
    let tried = || format!("asking the DNS server {server} for {domain}");
    let refused = |said: String| Fault::refused(Report::new(tried(), said));
    let name = Name::from_ascii(domain).map_err(|e| refused(format!("not a name: {e}")))?;
    let mut question = Message::new();
    question.set_id(id).set_recursion_desired(true).add_query(Query::query(name, RecordType::A));
    let bytes = question.to_vec().map_err(|e| refused(format!("not a question: {e}")))?;
    let mut answer = heard(exchange(server, &bytes), id, tried).await?;
    if answer.truncated() {
        // What did not fit is missing, and every address counts.
        answer = heard(by_tcp(server, &bytes), id, tried).await?;
    }
    let code = answer.response_code();
    if [ResponseCode::NoError, ResponseCode::NXDomain].contains(&code) {
        return Ok(addresses(&answer));
    }
    // The server could not find out, or does not want to say: that tells nothing of the name.
    Err(silent(tried(), &format!("the server answered {code}")))
}

/// The answer to the question with this id, if it comes in time.
async fn heard(
    answer: impl Future<Output = std::io::Result<Vec<u8>>>,
    id: u16,
    tried: impl Fn() -> String,
) -> Result<Message, Fault> {
    let answer = match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(silent(tried(), &error.to_string())),
        Err(_) => return Err(silent(tried(), "no answer in 3 s")),
    };
    Message::from_vec(&answer)
        .ok()
        .filter(|answer| answer.id() == id)
        .ok_or_else(|| silent(tried(), "the answer cannot be read"))
}

fn silent(tried: String, said: &str) -> Fault {
    Fault::transient(
        Report::new(tried, said)
            .code("Unreachable")
            .help("check leader_address.dns_server in the spec, and that this machine reaches it"),
    )
}

async fn exchange(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let any: SocketAddr = match server {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any).await?;
    // Connected: what others send is not even seen.
    socket.connect(server).await?;
    socket.send(question).await?;
    let mut answer = vec![0; LARGEST];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

/// By TCP, question and answer have their length before them.
async fn by_tcp(server: SocketAddr, question: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(question.len()).map_err(std::io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes()[..], question].concat()).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; length.into()];
    stream.read_exact(&mut answer).await?;
    Ok(answer)
}

fn addresses(answer: &Message) -> BTreeSet<Ipv4Addr> {
    answer
        .answers()
        .iter()
        .filter_map(|record| if let RData::A(a) = record.data() { Some(a.0) } else { None })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hickory_proto::rr::{Record, rdata};

    /// A server that answers one question with these addresses, under another id if told so.
    async fn server(found: &'static [[u8; 4]], shift: u16) -> SocketAddr {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = socket.local_addr().unwrap();
        tokio::spawn(async move {
            let mut bytes = [0; LARGEST];
            let (length, asker) = socket.recv_from(&mut bytes).await.unwrap();
            let question = Message::from_vec(&bytes[..length]).unwrap();
            let name = question.queries()[0].name().clone();
            let mut answer = Message::new();
            answer.set_id(question.id() + shift);
            for [a, b, c, d] in found {
                let data = RData::A(rdata::A::new(*a, *b, *c, *d));
                answer.add_answer(Record::from_rdata(name.clone(), 60, data));
            }
            socket.send_to(&answer.to_vec().unwrap(), asker).await.unwrap();
        });
        at
    }

    #[tokio::test]
    async fn all_addresses_come_back() {
        let at = server(&[[10, 1, 1, 5], [10, 1, 1, 6]], 0).await;
        let found = resolve(at, "es-cn-1.elasticsearch.aliyuncs.com", 7).await.unwrap();
        assert_eq!(found, ["10.1.1.5", "10.1.1.6"].map(|a| a.parse().unwrap()).into());
    }

    #[tokio::test]
    async fn an_answer_to_another_question_is_none() {
        let at = server(&[[10, 1, 1, 5]], 1).await;
        let fault = resolve(at, "a.b", 7).await.unwrap_err();
        assert!(matches!(fault, Fault::Transient { .. }), "{fault}");
    }

    /// A server that tells by UDP that there is more, and tells it by TCP; or answers a code.
    async fn longer(found: u8, code: ResponseCode) -> SocketAddr {
        let udp = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let at = udp.local_addr().unwrap();
        let tcp = tokio::net::TcpListener::bind(at).await.unwrap();
        let answer = move |question: &[u8], truncated: bool| {
            let question = Message::from_vec(question).unwrap();
            let name = question.queries()[0].name().clone();
            let mut answer = Message::new();
            answer.set_id(question.id()).set_truncated(truncated).set_response_code(code);
            for last in 1..=(if truncated { 1 } else { found }) {
                let data = RData::A(rdata::A::new(10, 1, 1, last));
                answer.add_answer(Record::from_rdata(name.clone(), 60, data));
            }
            answer.to_vec().unwrap()
        };
        tokio::spawn(async move {
            let mut bytes = [0; LARGEST];
            let (length, asker) = udp.recv_from(&mut bytes).await.unwrap();
            let short = answer(&bytes[..length], found > 1);
            udp.send_to(&short, asker).await.unwrap();
            let (mut stream, _) = tcp.accept().await.unwrap();
            let length = stream.read_u16().await.unwrap();
            let mut question = vec![0; length.into()];
            stream.read_exact(&mut question).await.unwrap();
            let whole = answer(&question, false);
            stream.write_u16(u16::try_from(whole.len()).unwrap()).await.unwrap();
            stream.write_all(&whole).await.unwrap();
        });
        at
    }

    #[tokio::test]
    async fn what_does_not_fit_is_asked_for_again() {
        let at = longer(60, ResponseCode::NoError).await;
        assert_eq!(resolve(at, "a.b", 7).await.unwrap().len(), 60);
    }

    #[tokio::test]
    async fn a_server_that_cannot_say_has_not_said_that_there_is_none() {
        let at = longer(0, ResponseCode::ServFail).await;
        let fault = resolve(at, "a.b", 7).await.unwrap_err();
        assert!(matches!(fault, Fault::Transient { .. }), "{fault}");
        let at = longer(0, ResponseCode::NXDomain).await;
        assert!(resolve(at, "a.b", 7).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn nobody_there_is_said_with_the_address() {
        let at = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let fault = resolve(at, "a.b", 7).await.unwrap_err();
        assert!(fault.to_string().contains(&at.to_string()), "{fault}");
    }
}
