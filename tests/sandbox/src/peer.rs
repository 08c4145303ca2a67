//! Which process is at the other end of a loopback connection (Linux).

use std::net::{SocketAddr, SocketAddrV4};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// The process that holds the socket with the address `caller`, connected to `server`.
///
/// Gives none where `/proc` does not tell, for example on another operating system.
pub fn process_of(caller: SocketAddr, server: SocketAddr) -> Option<u32> {
    let (SocketAddr::V4(caller), SocketAddr::V4(server)) = (caller, server) else {
        return None;
    };
    let table = std::fs::read_to_string("/proc/net/tcp").ok()?;
    let inode = inode_of(&table, caller, server)?;
    let wanted = format!("socket:[{inode}]");
    std::fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let pid: u32 = entry.file_name().to_str()?.parse().ok()?;
        holds(&entry.path().join("fd"), &wanted).then_some(pid)
    })
}

fn holds(dir: &Path, wanted: &str) -> bool {
    std::fs::read_dir(dir).is_ok_and(|fds| {
        fds.flatten()
            .any(|fd| std::fs::read_link(fd.path()).is_ok_and(|to| to.as_os_str() == wanted))
    })
}

/// The inode of the socket whose own end is `local`.
fn inode_of(table: &str, local: SocketAddrV4, remote: SocketAddrV4) -> Option<u64> {
    let (local, remote) = (kernel_form(local), kernel_form(remote));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_whitespace().skip(1);
        let ends = fields.next() == Some(&local) && fields.next() == Some(&remote);
        // After the two addresses: state, queues, timer, retransmits, uid, timeout, inode.
        if ends { fields.nth(6)?.parse().ok() } else { None }
    })
}

/// `0100007F:1F90` for 127.0.0.1:8080: the address bytes stand as in memory.
fn kernel_form(address: SocketAddrV4) -> String {
    let bytes = u32::from_ne_bytes(address.ip().octets());
    format!("{bytes:08X}:{:04X}", address.port())
}

/// Is it a process of the user who runs the sandbox? Root could stop everybody's.
fn is_own(pid: u32) -> bool {
    let owner = std::fs::metadata(format!("/proc/{pid}")).map(|about| about.uid());
    owner.is_ok_and(|owner| owner == rustix::process::geteuid().as_raw())
}

/// Stops a process of our own user at once, as a power cut would.
pub fn kill(pid: u32) {
    if !is_own(pid) {
        tracing::warn!(pid, "the caller is another user's process and goes on");
        return;
    }
    if let Some(pid) = i32::try_from(pid).ok().and_then(rustix::process::Pid::from_raw)
        && let Err(error) = rustix::process::kill_process(pid, rustix::process::Signal::KILL)
    {
        tracing::warn!(%error, ?pid, "could not stop the caller");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn finds_the_row_of_the_callers_end() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n   \
            0: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 111 1 0 20 4 30 10 -1\n   \
            1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 222 1 0 20 4 30 10 -1\n";
        let server: SocketAddrV4 = "127.0.0.1:8080".parse().unwrap();
        let caller: SocketAddrV4 = "127.0.0.1:50000".parse().unwrap();
        assert_eq!(inode_of(table, caller, server), Some(222));
        assert_eq!(inode_of(table, "127.0.0.1:1".parse().unwrap(), server), None);
    }

    #[test]
    fn finds_this_process_behind_its_own_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = listener.local_addr().unwrap();
        let stream = TcpStream::connect(server).unwrap();
        let found = process_of(stream.local_addr().unwrap(), server);
        assert_eq!(found, Some(std::process::id()));
    }
}
