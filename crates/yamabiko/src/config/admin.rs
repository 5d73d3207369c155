//! Settings of the admin side.

use std::net::{IpAddr, Ipv4Addr};

use clap::{Args, builder::BoolishValueParser};

/// Where health and metrics are served.
#[derive(Args, Clone)]
#[non_exhaustive]
pub struct AdminSettings {
    /// The address that serves /live, /ready and /metrics; `dev` listens on 127.0.0.1 only.
    #[arg(long, env = "ADMIN_HOST", global = true, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub admin_host: IpAddr,

    /// The port that serves /live, /ready and /metrics; 0 takes any free one and prints it. Defaults to 3002 in `web`, `all` and `dev`; none in `worker` and `timer`.
    #[arg(long, env = "ADMIN_PORT", global = true)]
    pub admin_port: Option<u16>,

    /// Serve /ready on `PORT` too, for balancers that look there.
    #[arg(long, env = "HEALTH_ON_PORT", global = true, default_value_t = false, action = clap::ArgAction::Set, value_parser = BoolishValueParser::new(), num_args = 0..=1, default_missing_value = "true")]
    pub health_on_port: bool,

    /// Was replaced by `ADMIN_PORT`.
    #[doc(hidden)]
    #[arg(long, env = "METRICS_PORT", global = true, hide = true, value_parser = replaced)]
    pub metrics_port: Option<String>,
}

impl std::fmt::Debug for AdminSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AdminSettings").finish_non_exhaustive()
    }
}

/// Refuses a setting that is no more: whoever sets it would otherwise look in vain for what it did.
fn replaced(given: &str) -> Result<String, String> {
    if given.trim().is_empty() {
        return Ok(String::new());
    }
    let instead = "use ADMIN_PORT, and ADMIN_HOST=0.0.0.0 where something outside of this machine or container looks there";
    Err(format!("METRICS_PORT was replaced: {instead}"))
}
