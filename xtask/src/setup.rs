//! Installs what the tests need: real servers, a real browser, and pinned packages.

mod debian;
mod node;
mod python;

/// Installs what is missing; what is there already costs nothing.
pub(crate) fn install() -> anyhow::Result<()> {
    debian::install()?;
    python::install()?;
    node::install()
}
