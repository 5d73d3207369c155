//! A small file system of its own for the store, so that the disk can be full for a while.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, bail};
use rustix::fs::statvfs;

/// The size of the file system when it is not full, in KiB; memory is taken only for what is in it.
const SIZE_KIB: u64 = 2 * 1024 * 1024;
/// How often the size is set anew until nothing grows in between.
const TRIES: u32 = 100;

/// A folder, on a file system of its own where one could be mounted.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: PathBuf,
    mounted: bool,
}

impl Disk {
    /// Mounts a file system below `parent`; what goes wrong in doing so is in the result.
    pub(crate) fn mount(parent: &Path) -> anyhow::Result<Self> {
        let folder = Self::folder(parent)?;
        let size = format!("size={SIZE_KIB}k");
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", &folder.display().to_string()])?;
        Ok(Self { folder, mounted: true })
    }

    /// Takes a plain folder below `parent`, which cannot be full.
    pub(crate) fn plain(parent: &Path) -> anyhow::Result<Self> {
        Ok(Self { folder: Self::folder(parent)?, mounted: false })
    }

    fn folder(parent: &Path) -> anyhow::Result<PathBuf> {
        let folder = parent.join("store");
        fs::create_dir_all(&folder)?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn can_be_full(&self) -> bool {
        self.mounted
    }

    /// Takes all room that is left.
    pub(crate) fn fill(&self) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let stat = statvfs(&self.folder)?;
            let used_kib = (stat.f_blocks - stat.f_bfree) * stat.f_frsize / 1024;
            // It fails if something was written meanwhile, since a file system is not made smaller than what is in it.
            if self.resize(used_kib.max(4)).is_ok() {
                return Ok(());
            }
        }
        bail!("the file system grows faster than it can be made full")
    }

    /// Gives the room back.
    pub(crate) fn free(&self) -> anyhow::Result<()> {
        self.resize(SIZE_KIB)
    }

    fn resize(&self, kib: u64) -> anyhow::Result<()> {
        let size = format!("remount,size={kib}k");
        run("mount", &["-o", &size, &self.folder.display().to_string()])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: a process that is about to end may still have a file open.
            run("umount", &["--lazy", &self.folder.display().to_string()]).ok();
        }
    }
}

fn run(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot run {program}"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
