//! The server among clients that send nothing, take nothing, or are open when the process stops.

use std::{io, net::SocketAddr};

use axum::{
    body::Bytes,
    routing::{get, post},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    task::JoinHandle,
};

use super::*;
use crate::shutdown::{self, Stopper};

const MINUTE: Duration = Duration::from_secs(60);
const SOON: Duration = Duration::from_millis(50);
/// Nothing is closed for taking too long.
const PATIENT: Limits =
    Limits { head: MINUTE, idle: MINUTE, body_begins: MINUTE, body: MINUTE, ..Limits::STANDARD };

/// A server of tests, which answers `POST /` with what it gets.
struct Running {
    address: SocketAddr,
    stopper: Stopper,
    serving: JoinHandle<Result>,
}

impl Running {
    async fn start(limits: Limits, connections: usize) -> Self {
        let routes = Router::new().route("/", post(async |body: Bytes| body));
        Self::start_with(routes, limits, connections, Duration::ZERO, MINUTE).await
    }

    async fn start_with(
        routes: Router,
        limits: Limits,
        connections: usize,
        grace: Duration,
        drain: Duration,
    ) -> Self {
        let (stopper, stop) = shutdown::channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server { listener, routes, connections, limits, grace, drain };
        Self { address, stopper, serving: tokio::spawn(server.serve(stop)) }
    }

    async fn client(&self) -> Client {
        Client(TcpStream::connect(self.address).await.unwrap())
    }

    /// Connects, has a request answered, and returns the idle connection.
    async fn idle_client(&self) -> Client {
        let mut client = self.client().await;
        client.sends("POST / HTTP/1.1\r\nhost: bot\r\ncontent-length: 4\r\n\r\necho").await;
        client.gets_until("echo").await;
        client
    }

    async fn stop(self) {
        self.stopper.stop();
        self.ends().await;
    }

    async fn ends(self) {
        time::timeout(MINUTE, self.serving).await.expect("the server ends").unwrap().unwrap();
    }
}

/// A client that sends what it is told.
struct Client(TcpStream);

impl Client {
    async fn sends(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Returns what comes until the end of this text.
    async fn gets_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.ends_with(end) {
            let byte = time::timeout(MINUTE, self.0.read_u8()).await.expect("more comes");
            text.push(byte.unwrap_or_else(|error| panic!("{error} after {text:?}")).into());
        }
        text
    }

    /// Returns what comes until the server closes the connection.
    async fn gets_all(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = time::timeout(MINUTE, self.0.read_to_end(&mut bytes)).await;
        match read.expect("the server closes the connection") {
            Err(error) if error.kind() != io::ErrorKind::ConnectionReset => panic!("{error}"),
            _ => String::from_utf8(bytes).unwrap(),
        }
    }

    /// Sends a request that asks for the end of the connection, and returns the response.
    async fn asks(&mut self) -> String {
        let head = "POST / HTTP/1.1\r\nhost: bot\r\nconnection: close\r\ncontent-length: 4\r\n\r\n";
        self.sends(&format!("{head}echo")).await;
        self.gets_all().await
    }

    /// Begins a request, and returns when the server waits for the rest of its body.
    async fn is_in_a_body(&mut self) {
        let head =
            "POST / HTTP/1.1\r\nhost: bot\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n";
        self.sends(head).await;
        self.gets_until("HTTP/1.1 100 Continue\r\n\r\n").await;
        self.sends("ec").await;
    }
}

#[track_caller]
fn is_echo(response: &str) {
    assert!(
        response.starts_with("HTTP/1.1 200") && response.ends_with("\r\n\r\necho"),
        "{response}"
    );
}

#[tokio::test]
async fn a_client_that_sends_no_complete_head_in_time_is_closed() {
    let running = Running::start(Limits { head: SOON, ..PATIENT }, 10).await;
    let (mut silent, mut halting) = (running.client().await, running.client().await);
    halting.sends("POST / HTTP/1.1\r\nhos").await;
    assert_eq!(silent.gets_all().await, "");
    assert_eq!(halting.gets_all().await, "");
    // Between two requests it counts from the first byte of the second one.
    let mut second = running.idle_client().await;
    second.sends("POST").await;
    assert_eq!(second.gets_all().await, "");
    running.stop().await;
}

#[tokio::test]
async fn a_head_over_32_kib_is_answered_431() {
    let running = Running::start(PATIENT, 10).await;
    let mut client = running.client().await;
    client.sends(&format!("GET / HTTP/1.1\r\nhost: bot\r\nx: {}", "x".repeat(33_000))).await;
    let response = client.gets_all().await;
    assert!(response.starts_with("HTTP/1.1 431"), "{response}");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_does_not_come_in_time_is_answered_408() {
    for limits in [Limits { body_begins: SOON, ..PATIENT }, Limits { body: SOON, ..PATIENT }] {
        let running = Running::start(limits, 10).await;
        let mut client = running.client().await;
        client.is_in_a_body().await;
        let response = client.gets_all().await;
        assert!(response.starts_with("HTTP/1.1 408"), "{response}");
        assert!(response.contains("connection: close"), "{response}");
        running.stop().await;
    }
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let running = Running::start(Limits { idle: SOON, ..PATIENT }, 10).await;
    let mut client = running.idle_client().await;
    assert_eq!(client.gets_all().await, "");
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_no_response_is_closed() {
    let routes = Router::new().route("/", get(async || vec![b'x'; 50_000_000]));
    let limits = Limits { response: SOON, ..PATIENT };
    let running = Running::start_with(routes, limits, 10, Duration::ZERO, MINUTE).await;
    let mut client = running.client().await;
    client.sends("GET / HTTP/1.1\r\nhost: bot\r\n\r\n").await;
    while client.0.write_all(b"GET").await.is_ok() {
        // A client that does not read is not told of the end; this only sets how often it looks.
        time::sleep(Duration::from_millis(2)).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn a_crowd_of_silent_clients_makes_room_for_one_that_speaks() {
    for sends in ["", "POST / HTTP/1.1\r\nho", "POST / HTTP/1.1\r\ncontent-length: 9\r\n\r\nhalf"] {
        let running = Running::start(PATIENT, 4).await;
        let mut crowd = Vec::new();
        for _ in 0..20 {
            let mut client = running.client().await;
            // It may have been closed already.
            drop(client.0.write_all(sends.as_bytes()).await);
            crowd.push(client);
        }
        is_echo(&running.client().await.asks().await);
        assert_eq!(crowd[0].gets_all().await, "", "the oldest is closed");
    }
}

#[tokio::test]
async fn a_request_that_is_being_answered_makes_no_room() {
    let connections = Arc::new(Connections::new(1, PATIENT));
    let place = connections.place().await;
    place.connection.starts();
    assert!(place.connection.begins());
    place.connection.is_whole();
    let mut next = std::pin::pin!(connections.place());
    assert!(time::timeout(SOON, &mut next).await.is_err(), "it waits");
    assert!(place.connection.begins(), "it is not closed");
    drop(place);
    next.await;
}

#[tokio::test]
async fn the_largest_unfinished_body_goes_when_all_take_too_much_memory() {
    let connections = Arc::new(Connections::new(3, PATIENT));
    let places = [(); 3].map(|()| connections.place());
    let [large, small, whole] = futures_util::future::join_all(places).await.try_into().unwrap();
    let hold = |place: &connections::Place, mebibytes: usize| {
        connections.hold(&place.connection, mebibytes * 1024 * 1024);
    };
    for place in [&large, &small, &whole] {
        assert!(place.connection.begins());
    }
    hold(&whole, 60);
    whole.connection.is_whole();
    connections.release(&whole.connection);
    hold(&large, 40);
    hold(&small, 24);
    assert!(large.connection.begins(), "64 MiB are allowed");
    hold(&small, 1);
    assert!(!large.connection.begins() && small.connection.begins());
    large.connection.closed().await;
}

#[tokio::test]
async fn a_request_that_is_open_at_a_stop_is_answered() {
    let running = Running::start(PATIENT, 10).await;
    let mut client = running.client().await;
    client.is_in_a_body().await;
    running.stopper.stop();
    client.sends("ho").await;
    let response = client.gets_all().await;
    is_echo(&response);
    assert!(response.contains("connection: close"), "{response}");
    running.ends().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_for_an_endless_request() {
    let routes = Router::new().route("/", post(async |body: Bytes| body));
    let running = Running::start_with(routes, PATIENT, 10, Duration::ZERO, Duration::ZERO).await;
    let mut client = running.client().await;
    client.is_in_a_body().await;
    running.stop().await;
}

#[tokio::test]
async fn shutdown_does_not_wait_for_a_request_that_has_not_begun() {
    let routes = Router::new().route("/", post(async |body: Bytes| body));
    let running = Running::start_with(routes, PATIENT, 10, Duration::ZERO, 60 * MINUTE).await;
    let (mut silent, mut halting) = (running.client().await, running.client().await);
    halting.sends("POST / HTTP/1.1\r\nhos").await;
    let mut idle = running.idle_client().await;
    running.stop().await;
    for client in [&mut silent, &mut halting, &mut idle] {
        assert_eq!(client.gets_all().await, "");
    }
}

#[tokio::test]
async fn until_the_grace_is_over_new_requests_are_answered_and_their_connections_closed() {
    let routes = Router::new().route("/", post(async |body: Bytes| body));
    let running = Running::start_with(routes, PATIENT, 10, MINUTE, MINUTE).await;
    let mut old = running.idle_client().await;
    running.stopper.stop();
    for client in [&mut old, &mut running.client().await] {
        client.sends("POST / HTTP/1.1\r\nhost: bot\r\ncontent-length: 4\r\n\r\necho").await;
        let response = client.gets_all().await;
        is_echo(&response);
        assert!(response.contains("connection: close"), "{response}");
    }
    assert!(!running.serving.is_finished());
}

#[tokio::test]
async fn connections_in_the_kernels_queue_at_a_stop_are_answered() {
    let (stopper, stop) = shutdown::channel();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    for _ in 0..50 {
        clients.push(Client(TcpStream::connect(address).await.unwrap()));
    }
    stopper.stop();
    let routes = Router::new().route("/", post(async |body: Bytes| body));
    let (connections, limits) = (20, PATIENT);
    let (grace, drain) = (Duration::ZERO, MINUTE);
    let server = Server { listener, routes, connections, limits, grace, drain };
    let asks = clients.iter_mut().map(Client::asks);
    let (served, responses) =
        tokio::join!(server.serve(stop), futures_util::future::join_all(asks));
    served.unwrap();
    responses.iter().for_each(|response| is_echo(response));
}
