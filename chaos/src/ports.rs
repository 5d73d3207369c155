//! Finds ports for servers that tell nobody which one they took, and that come back to the same one.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    ops::Range,
};

/// Below the ports that the kernel gives to outgoing connections, which may take one while its server is dead.
const PORTS: Range<u16> = 10_000..32_000;
/// How often to try.
const TRIES: u32 = 1_000;

/// Returns `count` different ports of this machine that were free a moment ago.
pub(crate) fn free(count: usize) -> io::Result<Vec<u16>> {
    let mut bound = Vec::new();
    for _ in 0..TRIES {
        if bound.len() == count {
            break;
        }
        bound.extend(TcpListener::bind((Ipv4Addr::LOCALHOST, fastrand::u16(PORTS))));
    }
    if bound.len() < count {
        return Err(io::Error::new(io::ErrorKind::AddrInUse, "no free ports from 10000 to 32000"));
    }
    bound.iter().map(|listener| Ok(listener.local_addr()?.port())).collect()
}
