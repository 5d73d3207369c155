//! Where published pictures are kept: a folder, or a bucket that speaks S3.

use std::{
    fmt, io,
    path::{Path as FilePath, PathBuf},
    time::Duration,
};

use object_store::{
    Attributes, BackoffConfig, ClientOptions, GetOptions, GetResult, ObjectStore,
    ObjectStoreExt as _, PutOptions, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path,
};

use super::{Bytes, Name};
use crate::Result;

/// How long a connection may take.
const CONNECTING: Duration = Duration::from_secs(3);
/// How long nothing may come of an answer, the time that a large picture takes to get there included.
const SILENCE: Duration = Duration::from_secs(20);
/// How long a call that failed is tried again; the run that it belongs to is, later.
const AGAIN: Duration = Duration::from_secs(5);

/// Where pictures are to be kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Where {
    /// In a folder of this machine.
    Folder(PathBuf),
    /// In a bucket.
    Bucket(Bucket),
    /// In this process only, for tests.
    #[cfg(any(test, feature = "testing"))]
    Memory,
}

/// A bucket that speaks S3, and the keys to it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// The folder within; may be empty.
    pub(crate) prefix: String,
    pub(crate) region: Option<String>,
    /// Where it is, if not at AWS.
    pub(crate) endpoint: Option<String>,
    pub(crate) key_id: String,
    pub(crate) secret: String,
    pub(crate) session_token: Option<String>,
}

/// Shows no keys.
impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder(folder) => write!(f, "file:{}", folder.display()),
            Self::Bucket(Bucket { name, prefix, .. }) => write!(f, "s3://{name}/{prefix}"),
            #[cfg(any(test, feature = "testing"))]
            Self::Memory => f.write_str("memory"),
        }
    }
}

impl fmt::Debug for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A place that has been opened.
pub(super) struct Place {
    pub(super) store: Box<dyn ObjectStore>,
    /// The folder within a bucket; empty elsewhere.
    pub(super) prefix: Path,
    /// The folder on this machine, if it is one; its files have no attributes but their names.
    pub(super) folder: Option<PathBuf>,
    /// What no error may tell.
    secrets: Vec<String>,
}

impl Place {
    pub(super) fn open(place: &Where) -> Result<Self> {
        let mut secrets = Vec::new();
        let (store, prefix, folder): (Box<dyn ObjectStore>, _, _) = match place {
            Where::Folder(folder) => {
                make_folder(folder)?;
                // A picture that was announced is on disk, as the announcement is.
                let store = LocalFileSystem::new_with_prefix(folder)?.with_fsync(true);
                (Box::new(store), Path::default(), Some(folder.clone()))
            }
            Where::Bucket(bucket) => {
                secrets = [&bucket.secret, &bucket.key_id]
                    .into_iter()
                    .chain(&bucket.session_token)
                    .cloned()
                    .collect();
                (Box::new(open_bucket(bucket)?), Path::parse(&bucket.prefix)?, None)
            }
            #[cfg(any(test, feature = "testing"))]
            Where::Memory => {
                (Box::new(object_store::memory::InMemory::new()), Path::default(), None)
            }
        };
        Ok(Self { store, prefix, folder, secrets })
    }

    /// Keeps a picture; whoever looks for it finds all of it or nothing.
    pub(super) async fn keep(
        &self,
        name: &Name,
        bytes: Bytes,
        attributes: Attributes,
    ) -> object_store::Result<()> {
        let attributes = if self.folder.is_none() { attributes } else { Attributes::new() };
        let options = PutOptions { attributes, ..PutOptions::default() };
        self.store.put_opts(&self.path(name), bytes.into(), options).await.map(drop)
    }

    pub(super) async fn get(
        &self,
        name: &Name,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.store.get_opts(&self.path(name), options).await
    }

    /// Removes a picture; one that is gone already is removed as well.
    pub(super) async fn remove(&self, name: &Name) -> object_store::Result<()> {
        match self.store.delete(&self.path(name)).await {
            Err(object_store::Error::NotFound { .. }) => Ok(()),
            removed => removed,
        }
    }

    /// Says what went wrong, without the keys: a bucket that refuses them repeats them in its answer.
    pub(super) fn explain(&self, error: &object_store::Error) -> anyhow::Error {
        let hide = |text: String, secret: &String| text.replace(secret, "…");
        anyhow::Error::msg(self.secrets.iter().fold(error.to_string(), hide))
    }

    pub(super) fn path(&self, name: &Name) -> Path {
        self.prefix.clone().join(name.as_str())
    }
}

/// Makes a folder that is its owner's alone, since it holds what was made for users; one that exists is left as it is.
fn make_folder(folder: &FilePath) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Chooses the TLS provider of the process, if no other part has done so.
pub(crate) fn choose_tls() {
    drop(rustls::crypto::ring::default_provider().install_default());
}

fn open_bucket(bucket: &Bucket) -> Result<object_store::aws::AmazonS3> {
    choose_tls();
    let client = ClientOptions::new()
        // A large picture takes as long as it takes, while bytes keep coming.
        .with_timeout_disabled()
        .with_connect_timeout(CONNECTING)
        .with_read_timeout(SILENCE);
    let retry =
        RetryConfig { backoff: BackoffConfig::default(), max_retries: 2, retry_timeout: AGAIN };
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&bucket.name)
        .with_access_key_id(&bucket.key_id)
        .with_secret_access_key(&bucket.secret)
        .with_client_options(client)
        .with_retry(retry);
    if let Some(token) = &bucket.session_token {
        builder = builder.with_token(token);
    }
    if let Some(region) = &bucket.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &bucket.endpoint {
        builder = builder.with_endpoint(endpoint).with_allow_http(endpoint.starts_with("http://"));
    }
    Ok(builder.build()?)
}
