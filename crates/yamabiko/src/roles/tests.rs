//! A bot that publishes pictures, whole, with LINE played by the simulator.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use clap::Parser;
use metrics_exporter_prometheus::PrometheusBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use yamabiko_line::{
    client::{Client, ClientConfig, Credentials},
    message::Message,
    secret::{AccessToken, ChannelSecret},
};
use yamabiko_queue::Clock;
use yamabiko_simulator::{Simulator, SimulatorConfig};

use super::{Bot, Web};
use crate::{
    App, Content, Context, ImageMessage, Result, TextMessage,
    cli::Role,
    config::Settings,
    shutdown::{self, Stopper},
};

const SECRET: &str = "a-secret-of-the-tests";
const TOKEN: &str = "a-token-of-the-tests";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

fn settings(arguments: &[&str]) -> Settings {
    Cli::try_parse_from([&["bot"], arguments].concat()).unwrap().settings
}

/// Publishes what it is sent: the text, or the picture.
fn mirror() -> App {
    async fn on_text(cx: Context, message: TextMessage) -> Result {
        publish(&cx, message.text.into_bytes()).await
    }
    async fn on_image(cx: Context, image: ImageMessage) -> Result {
        match cx.content(&image.id, 1000).await? {
            Content::Ready { bytes, .. } => publish(&cx, bytes).await?,
            other => {
                cx.reply(format!("{other:?}"));
            }
        }
        Ok(())
    }
    App::new("mirror").with_media().on_text(on_text).on_image(on_image)
}

async fn publish(cx: &Context, bytes: Vec<u8>) -> Result {
    let preview = cx.publish_preview(bytes.clone(), "image/jpeg").await?;
    cx.reply(Message::image(cx.publish(bytes, "image/png").await?, preview));
    Ok(())
}

/// A bot and LINE around it, in this process.
struct Running {
    simulator: Simulator,
    bot: JoinHandle<Result>,
    stopper: Stopper,
    folder: TempDir,
}

impl Running {
    async fn start(app: App) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), app).await
    }

    async fn start_in(folder: TempDir, app: App) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let callback = format!("http://{}/callback", listener.local_addr().unwrap());
        let config =
            SimulatorConfig::new(callback, ChannelSecret::new(SECRET), AccessToken::new(TOKEN));
        let simulator = Simulator::start(config).await.unwrap();
        let (stopper, stop) = shutdown::channel();
        let bot = Bot {
            role: Role::Dev,
            settings: settings(&[]),
            url: format!("sqlite:{}", folder.path().join("mirror-dev.db").display()),
            clock: Clock::Own,
            platform: Some(Arc::new(client(&simulator.url()))),
            web: Some(Web { secret: ChannelSecret::new(SECRET), listener }),
            admin: None,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            stop,
        };
        let bot = tokio::spawn(async move { Box::pin(bot.run(app)).await });
        Self { simulator, bot, stopper, folder }
    }

    /// Lets a user send something, and returns what the bot answers.
    async fn answer(&self, path: &str, content_type: &str, body: String) -> Value {
        let http = reqwest::Client::new();
        let url = |path: &str| format!("{}/control{path}", self.simulator.url());
        let users: Value = http.get(url("/users")).send().await.unwrap().json().await.unwrap();
        let user = users["users"][0]["userId"].as_str().unwrap().to_owned();
        let chat = async |query: &str| -> Value {
            let url = url(&format!("/chats/{user}{query}"));
            http.get(url).send().await.unwrap().json().await.unwrap()
        };
        let before = chat("").await["count"].as_u64().unwrap();
        let send = http.post(url(&format!("/chats/{user}/{path}"))).body(body);
        let sent = send.header("content-type", content_type).send().await.unwrap();
        assert!(sent.status().is_success(), "{}", sent.text().await.unwrap());
        let answered = chat(&format!("?after={}&wait_ms=60000", before + 1)).await;
        answered["messages"][0]["message"].clone()
    }

    async fn stop(self) {
        self.stopper.stop();
        self.bot.await.unwrap().unwrap();
        self.simulator.stop().await;
    }
}

fn client(url: &str) -> Client {
    let mut config = ClientConfig::new(Credentials::Token(AccessToken::new(TOKEN)));
    config.api_url = url.to_owned();
    config.data_api_url = url.to_owned();
    Client::new(config).unwrap()
}

/// Fetches the picture of a message, as who looks at it does.
async fn look(said: &Value, key: &str) -> (String, String) {
    let url = said[key].as_str().unwrap_or_else(|| panic!("no picture: {said}"));
    let answer = reqwest::get(url).await.unwrap();
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (content_type, answer.text().await.unwrap())
}

#[tokio::test]
async fn a_user_sees_what_the_bot_publishes() {
    let running = Running::start(mirror()).await;
    let text = json!({"type": "text", "text": "like a picture"}).to_string();
    let said = running.answer("messages", "application/json", text).await;
    let png = ("image/png".to_owned(), "like a picture".to_owned());
    assert_eq!(look(&said, "originalContentUrl").await, png);
    let jpeg = ("image/jpeg".to_owned(), "like a picture".to_owned());
    assert_eq!(look(&said, "previewImageUrl").await, jpeg);
    assert!(running.folder.path().join("mirror-dev-media").is_dir());
    running.stop().await;
}

#[tokio::test]
async fn a_picture_of_a_user_comes_to_the_bot_if_it_is_not_too_large() {
    let running = Running::start(mirror()).await;
    let send = async |bytes: usize| {
        let octets = "application/octet-stream";
        running.answer("media?type=image", octets, "x".repeat(bytes)).await
    };
    let said = send(1000).await;
    assert_eq!(look(&said, "originalContentUrl").await.1, "x".repeat(1000));
    assert_eq!(send(1001).await["text"], "TooLarge");
    running.stop().await;
}

#[tokio::test]
async fn what_is_old_is_removed_when_the_bot_starts() {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("mirror-dev-media");
    // Its name says 2001.
    let old = folder.join("3b9aca00-0123456789abcdef0123456789abcdef.png");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(&old, "old").unwrap();
    let running = Running::start_in(around, mirror()).await;
    let deadline = Instant::now() + Duration::from_secs(20);
    while old.exists() {
        assert!(Instant::now() < deadline, "nobody sweeps");
        // Nobody is told of a sweep; this only sets how often we look.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    running.stop().await;
}

#[tokio::test]
async fn only_a_bot_that_publishes_needs_an_address_and_only_where_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |role, app| {
        // Without a stopper it stops as soon as it has started.
        let (_, stop) = shutdown::channel();
        let bot = Bot {
            role,
            settings: settings(&[]),
            url: format!("sqlite:{}", folder.path().join("mirror.db").display()),
            clock: Clock::Own,
            platform: role.is_worker().then(|| Arc::new(client("http://127.0.0.1:9")) as _),
            web: None,
            admin: None,
            metrics: PrometheusBuilder::new().build_recorder().handle(),
            stop,
        };
        Box::pin(bot.run(app)).await
    };
    for role in [Role::Worker, Role::All] {
        let error = run(role, mirror()).await.unwrap_err().to_string();
        assert!(error.starts_with("MEDIA_URL is not set"), "{error}");
        run(role, App::new("mirror")).await.unwrap();
    }
    run(Role::Timer, mirror()).await.unwrap();
    assert!(!folder.path().join("mirror-media").exists());
    run(Role::Web, mirror()).await.unwrap();
    assert!(folder.path().join("mirror-media").exists());
}

#[tokio::test]
async fn a_panic_in_dropping_what_runs_share_is_an_error_of_the_process_at_its_end() {
    struct Brittle;
    impl Drop for Brittle {
        fn drop(&mut self) {
            panic!("an author's mistake")
        }
    }
    let running = Running::start(App::new("brittle").data(Brittle)).await;
    running.stopper.stop();
    // The command line makes an error of it.
    let panic = running.bot.await.unwrap_err().to_string();
    assert!(panic.contains("an author's mistake"), "{panic}");
    running.simulator.stop().await;
}
