//! A pipe that nobody reads and that is full already.

use std::{
    fs::File,
    io::{ErrorKind, PipeReader, PipeWriter, Write as _, pipe},
    os::fd::OwnedFd,
};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

/// Returns both ends; whoever writes to the second waits for as long as the first lives.
pub(crate) fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    let flags = fcntl_getfl(&writer).unwrap();
    fcntl_setfl(&writer, flags | OFlags::NONBLOCK).unwrap();
    let mut end = File::from(OwnedFd::from(writer.try_clone().unwrap()));
    // Byte by byte: a pipe takes short lines where it takes no long ones.
    let error = loop {
        if let Err(error) = end.write_all(b".") {
            break error;
        }
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    fcntl_setfl(&writer, flags).unwrap();
    (reader, writer)
}
