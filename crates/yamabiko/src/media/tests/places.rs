//! Places to keep pictures in, for tests.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::{Method, Response};
use tempfile::TempDir;

use super::super::{Bucket, Where, choose_tls};

/// A place that can go away.
pub(super) trait TestPlace {
    fn place(&self) -> Where;
    /// Puts something else beside the pictures.
    async fn put_beside(&self, name: &str);
    async fn has(&self, name: &str) -> bool;
    fn goes_away(&mut self);
}

/// A folder that is not there yet.
pub(super) struct Folder {
    around: TempDir,
}

impl Folder {
    pub(super) fn new() -> Self {
        Self { around: tempfile::tempdir().unwrap() }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.around.path().join("bot-media")
    }
}

impl TestPlace for Folder {
    fn place(&self) -> Where {
        Where::Folder(self.path())
    }

    async fn put_beside(&self, name: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "beside").unwrap();
    }

    async fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    fn goes_away(&mut self) {
        std::fs::remove_dir_all(self.path()).unwrap();
        std::fs::write(self.path(), "something else").unwrap();
    }
}

/// A server that speaks S3, with an empty bucket.
pub(super) struct S3 {
    address: String,
    server: Child,
}

impl S3 {
    pub(super) fn start() -> Self {
        choose_tls();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut server = Command::new(root.join("../../target/tests/venv/bin/python"))
            .arg(root.join("src/media/tests/s3.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("python is missing: `cargo xtask setup` installs it");
        let mut address = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://"), "moto is missing: `cargo xtask setup` installs it");
        Self { address: address.trim().to_owned(), server }
    }

    /// Asks the server for an object, or for putting one.
    pub(super) async fn object(&self, method: Method, name: &str, body: &'static str) -> Response {
        let address = format!("{}/pictures/of/bot/{name}", self.address);
        let request = reqwest::Client::new().request(method, address).body(body);
        // The server of the tests looks only whether there is a signature.
        request.header("authorization", "AWS key:any").send().await.unwrap()
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        // It may have been killed already.
        self.server.kill().ok();
        self.server.wait().ok();
    }
}

impl TestPlace for S3 {
    fn place(&self) -> Where {
        Where::Bucket(Bucket {
            name: "pictures".to_owned(),
            prefix: "of/bot".to_owned(),
            region: None,
            endpoint: Some(self.address.clone()),
            key_id: "key".to_owned(),
            secret: "hush".to_owned(),
            session_token: None,
        })
    }

    async fn put_beside(&self, name: &str) {
        assert!(self.object(Method::PUT, name, "beside").await.status().is_success());
    }

    async fn has(&self, name: &str) -> bool {
        self.object(Method::HEAD, name, "").await.status().is_success()
    }

    fn goes_away(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}
