//! What all jobs of a process share: the dictionary, and the client of the wiki.

use anyhow::Context as _;
use tokio::sync::OnceCell;
use yamabiko::{Context, Result};

use crate::{
    analysis::Analyzer,
    demo::Demo,
    research::Origin,
    settings::{Demonstration, Offline},
    wiki::{
        Wiki, WikiSettings,
        settings::{MediaWikiRequestsPerSecond, MediaWikiUrl, MediaWikiUserAgent},
    },
};

/// The dictionary, and the client of the wiki once it is needed.
pub(crate) struct Tools {
    pub(crate) analyzer: Analyzer,
    wiki: OnceCell<(Wiki, Option<Demo>)>,
}

impl Tools {
    /// Reads the dictionary.
    ///
    /// # Errors
    /// If the program was built with one that it cannot read.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { analyzer: Analyzer::new()?, wiki: OnceCell::new() })
    }

    /// Returns where texts are looked up, as the settings say; nowhere if the bot is offline.
    ///
    /// # Errors
    /// If this machine makes no connections.
    pub(crate) async fn wiki(&self, cx: &Context) -> Result<(Origin, Option<&Wiki>)> {
        if cx.data::<Offline>()?.0 {
            return Ok((Origin::Offline, None));
        }
        let (wiki, demo) = self.wiki.get_or_try_init(async || connect(cx)).await?;
        let origin = if demo.is_some() { Origin::Demo } else { Origin::Wiki };
        Ok((origin, Some(wiki)))
    }
}

/// Makes a client of the wiki that is set, or of the sample.
fn connect(cx: &Context) -> Result<(Wiki, Option<Demo>)> {
    let Demonstration(is_demo) = *cx.data()?;
    let demo = is_demo.then(Demo::start).transpose().context("starting the demonstration")?;
    let url = match &demo {
        Some(demo) => demo.url(),
        None => cx.data::<MediaWikiUrl>()?.clone(),
    };
    let user_agent: &MediaWikiUserAgent = cx.data()?;
    // Nobody is disturbed by questions to the sample.
    let rate = match &demo {
        Some(_) => MediaWikiRequestsPerSecond(100),
        None => *cx.data()?,
    };
    let settings = WikiSettings::new(url, user_agent.clone(), *cx.data()?, rate);
    Ok((Wiki::new(settings)?, demo))
}
