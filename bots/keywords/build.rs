//! Builds the dictionary IPADIC into the program, from the source that a crate of the registry carries.

#![expect(clippy::disallowed_methods, reason = "cargo talks to build scripts by the environment")]

use std::{
    env, fs,
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, bail};
use flate2::read::GzDecoder;
use lindera_dictionary::{builder::DictionaryBuilder, dictionary::metadata::Metadata};
use serde_json::Value;
use tar::Archive;

/// The crate that carries the source, and where.
const CARRIER: &str = "lindera-ipadic";
const SOURCE: &str = "resources/mecab-ipadic-2.7.0-20070801.tar.gz";
/// The folder within the source.
const FOLDER: &str = "mecab-ipadic-2.7.0-20070801";
/// Says where the source is, for those who have it from elsewhere.
const BY_HAND: &str = "IPADIC_SOURCE";

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={BY_HAND}");
    let source = source()?;
    println!("cargo::rerun-if-changed={}", source.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let unpacked = out.join(FOLDER);
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked)?;
    }
    let archive = File::open(&source).with_context(|| source.display().to_string())?;
    Archive::new(GzDecoder::new(archive))
        .unpack(&out)
        .with_context(|| format!("{} is no archive of IPADIC", source.display()))?;
    let metadata = Metadata {
        name: "ipadic".to_owned(),
        encoding: "EUC-JP".to_owned(),
        ..Metadata::default()
    };
    DictionaryBuilder::new(metadata)
        .build_dictionary(&unpacked, &out.join("ipadic"))
        .map_err(|error| anyhow::anyhow!("{error}"))
        .with_context(|| format!("{} holds no source of IPADIC", source.display()))?;
    // lindera's macro looks for the dictionary in this folder.
    println!("cargo::rustc-env=LINDERA_WORKDIR={}", out.display());
    // The test that compares us with MeCab gives it the same source.
    println!("cargo::rustc-env=IPADIC_UNPACKED={}", unpacked.display());
    Ok(())
}

/// Returns where the source is.
fn source() -> anyhow::Result<PathBuf> {
    if let Some(path) = env::var_os(BY_HAND) {
        return Ok(path.into());
    }
    carrier().and_then(|folder| in_folder(&folder)).with_context(|| {
        format!(
            "the source of the dictionary IPADIC was not found.\n\
             It comes with the crate {CARRIER}, which cargo finds in the registry, a mirror or a vendored folder: \
             `cargo fetch --locked` gets it, and later builds need no network.\n\
             Or set {BY_HAND} to the path of {}.",
            SOURCE.trim_start_matches("resources/")
        )
    })
}

/// Asks cargo where the carrier is: cargo alone knows about mirrors, vendored folders and its own home.
fn carrier() -> anyhow::Result<PathBuf> {
    let cargo = env::var_os("CARGO").context("cargo sets CARGO")?;
    let target = env::var("TARGET").context("cargo sets TARGET")?;
    let output = Command::new(&cargo)
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", &target])
        .output()
        .with_context(|| cargo.display().to_string())?;
    if !output.status.success() {
        bail!("`cargo metadata --locked`: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).context("`cargo metadata`")?;
    let packages = metadata["packages"].as_array().map_or(&[][..], Vec::as_slice);
    let manifest = packages
        .iter()
        .find(|package| package["name"] == CARRIER)
        .and_then(|package| package["manifest_path"].as_str())
        .with_context(|| format!("`cargo metadata` knows no crate {CARRIER}"))?;
    Path::new(manifest).parent().map(Path::to_owned).context("a manifest is in a folder")
}

fn in_folder(carrier: &Path) -> anyhow::Result<PathBuf> {
    let source = carrier.join(SOURCE);
    if !source.exists() {
        bail!("{} is missing", source.display());
    }
    Ok(source)
}
