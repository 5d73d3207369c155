//! Where the client may connect to: not to this machine and its network, unless the wiki itself is there.

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use axum::http::Uri;
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};
use tokio::sync::OnceCell;

use super::settings::MediaWikiUrl;

/// Looks up the addresses of a name.
type Lookup = Arc<dyn Fn(String) -> Pin<Box<dyn Future<Output = Addresses> + Send>> + Send + Sync>;
type Addresses = io::Result<Vec<SocketAddr>>;

/// The address of a picture, or of a redirect, leads where only this machine and its neighbours can look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the address is in a private network")]
pub(super) struct PrivateAddress;

/// Decides which addresses may be connected to; clones decide the same.
///
/// A wiki names addresses of pictures and redirects, and whoever may edit it may choose them.
/// They are checked where a connection is opened, so a name cannot lead elsewhere after it was checked.
#[derive(Clone)]
pub(super) struct Network(Arc<Inner>);

struct Inner {
    lookup: Lookup,
    /// The hosts of the wiki's API, which whoever runs the bot has chosen.
    wiki: Vec<String>,
    /// The hosts of the proxies, chosen likewise; they decide by themselves what they connect to.
    proxies: Vec<String>,
    /// Whether the wiki is in a private network, where its pictures are, too.
    is_intranet: OnceCell<bool>,
}

impl Network {
    /// Makes the network around a wiki; names are looked up by the system.
    pub(super) fn around(url: &MediaWikiUrl) -> Self {
        let lookup =
            |name: String| async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) };
        Self::with(url, Arc::new(move |name| Box::pin(lookup(name))))
    }

    /// Makes the network around a wiki, where names lead to what `lookup` says.
    fn with(url: &MediaWikiUrl, lookup: Lookup) -> Self {
        let (urls, proxies) = (url.all(), Matcher::from_system());
        let proxy = |url: &str| proxies.intercept(&url.parse::<Uri>().ok()?);
        let hosts: Vec<_> =
            urls.iter().filter_map(|url| url.host_str().map(str::to_owned)).collect();
        let is_named = hosts.iter().any(|host| literal(host).is_none());
        // Behind a proxy, this machine may know no name, and ask for it in vain for long.
        let is_proxied = is_named && urls.iter().any(|url| proxy(url.as_str()).is_some());
        let proxies = ["http://wiki.invalid", "https://wiki.invalid"].into_iter().filter_map(proxy);
        let proxies = proxies.filter_map(|proxy| proxy.uri().host().map(str::to_owned)).collect();
        let is_intranet = OnceCell::new_with(is_proxied.then_some(false));
        Self(Arc::new(Inner { lookup, wiki: hosts, proxies, is_intranet }))
    }

    /// Checks an address before it is asked for; a name is checked when a connection is opened.
    pub(super) async fn check(&self, url: &Url) -> Result<(), PrivateAddress> {
        self.find_out().await;
        self.check_redirect(url)
    }

    /// Checks where a redirect leads.
    pub(super) fn check_redirect(&self, url: &Url) -> Result<(), PrivateAddress> {
        let Some(host) = url.host_str() else { return Ok(()) };
        match literal(host) {
            Some(address) if is_private(address) && !self.may_be_private(host) => {
                Err(PrivateAddress)
            }
            _ => Ok(()),
        }
    }

    /// Finds out once whether the wiki is in a private network; it counts as public until that is known.
    async fn find_out(&self) {
        let Inner { is_intranet, wiki, .. } = &*self.0;
        let find = async || {
            for host in wiki {
                let addresses = match literal(host) {
                    Some(address) => vec![SocketAddr::new(address, 0)],
                    None => (self.0.lookup)(host.clone()).await?,
                };
                if !addresses.iter().all(|address| is_private(address.ip())) {
                    return Ok(false);
                }
            }
            Ok::<_, io::Error>(true)
        };
        // Where it cannot be found out, the wiki is not reached either.
        drop(is_intranet.get_or_try_init(find).await);
    }

    fn may_be_private(&self, host: &str) -> bool {
        let Inner { wiki, proxies, is_intranet, .. } = &*self.0;
        is_intranet.get() == Some(&true) || wiki.iter().chain(proxies).any(|own| own == host)
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("wiki", &self.0.wiki).finish_non_exhaustive()
    }
}

impl Resolve for Network {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.clone();
        Box::pin(async move {
            let mut addresses = (network.0.lookup)(name.as_str().to_owned()).await?;
            if !network.may_be_private(name.as_str()) {
                addresses.retain(|address| !is_private(address.ip()));
                if addresses.is_empty() {
                    return Err(Box::from(PrivateAddress));
                }
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Returns whether a request failed because it led to a private address.
pub(super) fn is_about_private_address(error: &(dyn Error + 'static)) -> bool {
    let mut chain = std::iter::successors(Some(error), |&one| one.source());
    chain.any(<dyn Error>::is::<PrivateAddress>)
}

fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Returns whether an address is not one of the public internet.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) => is_private_v6(address),
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        // "This network", addresses shared by a provider's customers, those of protocols, of benchmarks, and reserved ones.
        || first == 0
        || (first, second & 0xc0) == (100, 64)
        || (first, second, third) == (192, 0, 0)
        || (first, second & 0xfe) == (198, 18)
        || first >= 240
}

fn is_private_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An address of IPv4 may stand in one of IPv6: mapped, compatible, translated (NAT64), or in a tunnel (6to4).
    let inner = match segments {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some((high, low))
        }
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    let inner = inner.map(|(high, low)| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    inner.is_some_and(is_private_v4)
        || address.is_loopback()
        || address.is_unspecified()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.is_multicast()
        // Site-local: given up, but still routed in places.
        || segments[0] & 0xffc0 == 0xfec0
        || segments[..3] == [0x64, 0xff9b, 1]
}

#[cfg(test)]
mod tests;
