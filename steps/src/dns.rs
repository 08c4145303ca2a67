//! Asking one named DNS server for the addresses of a name.

use escrr_engine::{Fault, Report};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::{Name, RData, RecordType};
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// How long one answer is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// The largest answer without extensions, in bytes.
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
    let answer = match tokio::time::timeout(PATIENCE, exchange(server, &bytes)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(silent(tried(), &error.to_string())),
        Err(_) => return Err(silent(tried(), "no answer in 3 s")),
    };
    let answer = Message::from_vec(&answer)
        .ok()
        .filter(|answer| answer.id() == id)
        .ok_or_else(|| silent(tried(), "the answer cannot be read"))?;
    Ok(addresses(&answer))
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

    #[tokio::test]
    async fn nobody_there_is_said_with_the_address() {
        let at = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let fault = resolve(at, "a.b", 7).await.unwrap_err();
        assert!(fault.to_string().contains(&at.to_string()), "{fault}");
    }
}
