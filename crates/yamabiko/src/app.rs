//! An author's bot: its name, its handlers and its jobs.

use std::{any::Any, fmt, num::NonZeroUsize, sync::Arc};

use anyhow::bail;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use yamabiko_line::{
    event::{
        AudioMessage, Event, EventKind, FileMessage, ImageMessage, LocationMessage, MessageContent,
        StickerMessage, TextMessage, VideoMessage,
    },
    message::Message,
};
use yamabiko_queue::Registry;

use crate::{
    Context, Job, Result, Setting,
    caught::caught,
    cli::OwnCommands,
    config::OwnSettings,
    dead::{self, Apology, DEFAULT_SENTENCE, Dead},
    endpoint::Endpoints,
    handlers::{Handlers, On, part, whole},
    job::Lane,
    queues::OwnQueues,
    registry::{AddJob, Data, Shared, Surroundings, add_deliveries, add_events, add_job},
    state::{ChatState, StateFormat},
};

/// A bot: its handlers and its jobs, built up once and run by `run`.
///
/// `S` is what the bot keeps for each chat, nothing by default; see [`App::with_state`].
///
/// ```
/// use yamabiko::{App, Context, Result, TextMessage};
///
/// async fn on_text(cx: Context, message: TextMessage) -> Result {
///     cx.reply(format!("You said {}", message.text));
///     Ok(())
/// }
///
/// let app = App::new("parrot").on_text(on_text);
/// # let _ = app;
/// ```
pub struct App<S = ()> {
    pub(crate) name: String,
    handlers: Handlers<S>,
    jobs: Vec<AddJob<S>>,
    pub(crate) queues: OwnQueues,
    pub(crate) data: Data,
    pub(crate) settings: OwnSettings,
    pub(crate) commands: OwnCommands,
    pub(crate) endpoints: Endpoints,
    /// Whether the bot publishes pictures.
    pub(crate) has_media: bool,
    state: StateFormat<S>,
    apology: Apology,
    /// What was put together wrongly; said at the start.
    mistake: Option<&'static str>,
}

impl<S> fmt::Debug for App<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").field("name", &self.name).finish_non_exhaustive()
    }
}

impl App<()> {
    /// Starts a bot of this name; the name stands in file names and in the store's keys.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            handlers: Handlers::default(),
            jobs: Vec::new(),
            queues: OwnQueues::default(),
            data: Data::default(),
            settings: OwnSettings::default(),
            commands: OwnCommands::default(),
            endpoints: Endpoints::default(),
            has_media: false,
            state: StateFormat::default(),
            apology: Arc::new(|_| Some(Message::text(DEFAULT_SENTENCE))),
            mistake: None,
        }
    }

    /// Keeps a value of type `T` for each chat; call it right after `new`.
    #[must_use]
    pub fn with_state<T: ChatState>(self) -> App<T> {
        let late = !self.handlers.is_empty() || !self.jobs.is_empty();
        App {
            mistake: late.then_some(
                "App::with_state comes after a handler or job: call it right after App::new",
            ),
            name: self.name,
            handlers: Handlers::default(),
            jobs: Vec::new(),
            queues: self.queues,
            data: self.data,
            settings: self.settings,
            commands: self.commands,
            endpoints: self.endpoints,
            has_media: self.has_media,
            state: StateFormat::default(),
            apology: self.apology,
        }
    }
}

impl<S: ChatState> App<S> {
    /// Reads older states: `convert` gets the version and the JSON that were stored; states are written as `version`.
    ///
    /// The version is 1 where this is not called.
    #[must_use]
    pub fn migrate_state(
        mut self,
        version: u32,
        convert: impl Fn(u32, Value) -> Result<S> + Send + Sync + 'static,
    ) -> Self {
        self.state = StateFormat { version, migrate: Some(Arc::new(convert)) };
        self
    }

    /// Adds a kind of job. Its kind must be the only one of that name.
    #[must_use]
    pub fn job<J: Job<S>>(mut self) -> Self {
        self.jobs.push(add_job::<S, J>());
        if J::LANE == Lane::None {
            self.queues.add(J::QUEUE);
        }
        self
    }

    /// Runs at most so many jobs of a queue at once in a process, in slots of their own; `QUEUE_CONCURRENCY` sets another number.
    ///
    /// For work that takes much memory or calls somebody who shall not be hurried.
    #[must_use]
    pub fn queue_concurrency(mut self, queue: &'static str, at_most: NonZeroUsize) -> Self {
        self.queues.limits.insert(queue.to_owned(), at_most.get());
        self
    }

    /// Shares a value with all handlers and jobs, one of each type: a pool, a client, a setting.
    #[must_use]
    pub fn data<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.data.insert(value);
        self
    }

    /// Says that the bot publishes pictures, by [`Context::publish`]; it then needs the setting `MEDIA_URL`.
    #[must_use]
    pub fn with_media(mut self) -> Self {
        self.has_media = true;
        self
    }

    /// Adds a setting that only this bot has; `cx.data` returns its value.
    ///
    /// Tests read no settings: they have its default, or what `data` gives after this.
    #[must_use]
    pub fn setting<T: Setting>(mut self) -> Self {
        match caught(|| T::DEFAULT.parse::<T>()) {
            Ok(Ok(default)) => self.data.insert(default),
            _ => self.mistake = Some("the DEFAULT of a Setting cannot be parsed as one"),
        }
        self.settings.add::<T>();
        self
    }

    /// Adds a command that only this bot has: `bot-name NAME` calls `run` and ends, without store and without LINE.
    ///
    /// `about` is one sentence for `--help`. What `run` returns as an error is said, and the process fails.
    #[must_use]
    pub fn command(
        mut self,
        name: &'static str,
        about: &'static str,
        run: impl FnOnce() -> Result + Send + 'static,
    ) -> Self {
        self.commands.add(name, about, run);
        self
    }

    /// Answers `POST path` of `web`: a JSON body of type `Q`, at most 64 KiB, is answered with JSON.
    ///
    /// The function may keep a core busy: it runs on a pool of `BLOCKING_THREADS` threads that jobs have no part in.
    /// 64 requests more may wait; what is over is answered 503, as is a request that takes more than 30 s with its wait.
    /// What the function returns as an error is answered 400 with `{"error": …}`, as is a body that cannot be read.
    ///
    /// Anybody may ask, unless `ENDPOINT_TOKEN` is set: then clients show it as `Authorization: Bearer …`.
    #[must_use]
    pub fn post<Q: DeserializeOwned + 'static, A: Serialize + 'static>(
        mut self,
        path: &'static str,
        answer: impl Fn(Q) -> Result<A> + Send + Sync + 'static,
    ) -> Self {
        self.endpoints.add(path, answer);
        self
    }

    /// Sets what a chat is told when a handler or job has died for good; `None` says nothing.
    ///
    /// By default it is one sentence, in Japanese and English. For a handler it is sent by the event's reply token or not at
    /// all, for a job it is pushed.
    #[must_use]
    pub fn on_dead(
        mut self,
        tell: impl Fn(&Dead) -> Option<Message> + Send + Sync + 'static,
    ) -> Self {
        self.apology = Arc::new(tell);
        self
    }

    /// Sets the handler of a text.
    #[must_use]
    pub fn on_text<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, TextMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::Text(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::Text, part(handler, message));
        self
    }

    /// Sets the handler of a sticker.
    #[must_use]
    pub fn on_sticker<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, StickerMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::Sticker(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::Sticker, part(handler, message));
        self
    }

    /// Sets the handler of an image.
    #[must_use]
    pub fn on_image<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, ImageMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::Image(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::Image, part(handler, message));
        self
    }

    /// Sets the handler of a video.
    #[must_use]
    pub fn on_video<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, VideoMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::Video(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::Video, part(handler, message));
        self
    }

    /// Sets the handler of an audio message.
    #[must_use]
    pub fn on_audio<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, AudioMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::Audio(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::Audio, part(handler, message));
        self
    }

    /// Sets the handler of a file.
    #[must_use]
    pub fn on_file<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, FileMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::File(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::File, part(handler, message));
        self
    }

    /// Sets the handler of a location.
    #[must_use]
    pub fn on_location<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, LocationMessage) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        let message = |event: Event| match event.kind {
            EventKind::Message(MessageContent::Location(message)) => Some(message),
            _ => None,
        };
        self.handlers.set(On::Location, part(handler, message));
        self
    }

    /// Sets the handler of an edited message.
    #[must_use]
    pub fn on_message_edited<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::MessageEdited, handler)
    }

    /// Sets the handler of a message that its sender took back; what it started is cancelled already.
    #[must_use]
    pub fn on_unsend<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Unsend, handler)
    }

    /// Sets the handler of a user who adds the bot as a friend.
    #[must_use]
    pub fn on_follow<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Follow, handler)
    }

    /// Sets the handler of a user who blocks the bot; the chat's timers are cancelled already.
    #[must_use]
    pub fn on_unfollow<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Unfollow, handler)
    }

    /// Sets the handler of the bot joining a group.
    #[must_use]
    pub fn on_join<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Join, handler)
    }

    /// Sets the handler of the bot leaving a group; the group's timers are cancelled already.
    #[must_use]
    pub fn on_leave<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Leave, handler)
    }

    /// Sets the handler of members joining a group.
    #[must_use]
    pub fn on_member_joined<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::MemberJoined, handler)
    }

    /// Sets the handler of members leaving a group.
    #[must_use]
    pub fn on_member_left<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::MemberLeft, handler)
    }

    /// Sets the handler of a tapped button with data.
    #[must_use]
    pub fn on_postback<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Postback, handler)
    }

    /// Sets the handler of a video watched to its end.
    #[must_use]
    pub fn on_video_play_complete<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::VideoPlayComplete, handler)
    }

    /// Sets the handler of a beacon.
    #[must_use]
    pub fn on_beacon<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Beacon, handler)
    }

    /// Sets the handler of a linked account.
    #[must_use]
    pub fn on_account_link<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::AccountLink, handler)
    }

    /// Sets the handler of a membership that begins or ends.
    #[must_use]
    pub fn on_membership<F, W>(self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.on(On::Membership, handler)
    }

    /// Sets the handler of every event that has no other, types unknown to this program among them.
    #[must_use]
    pub fn on_other<F, W>(mut self, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.handlers.set_other(whole(handler));
        self
    }

    fn on<F, W>(mut self, on: On, handler: F) -> Self
    where
        F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
        W: Future<Output = Result> + Send + 'static,
    {
        self.handlers.set(on, whole(handler));
        self
    }

    /// Does what the command line says: `web`, `worker`, `timer`, `all` or `dev`; `dev` if it says nothing.
    ///
    /// # Errors
    /// If a setting is missing or wrong, or the store cannot be opened.
    pub fn run(self) -> Result {
        crate::cli::run(self)
    }

    /// Returns what a worker needs to run the bot.
    pub(crate) fn into_registry(
        self,
        Surroundings { platform, courier, time_zone, late_call, pool }: Surroundings,
    ) -> Result<Registry> {
        if let Some(mistake) = self.mistake {
            bail!(mistake);
        }
        let (data, state) = (self.data, self.state);
        let shared = Arc::new(Shared { platform, data, state, time_zone, late_call, pool });
        let mut registry = Registry::new();
        add_events(&mut registry, &shared, self.handlers)?;
        add_deliveries(&mut registry, courier)?;
        for add in self.jobs {
            add(&mut registry, &shared)?;
        }
        let apology = self.apology;
        registry.on_dead(move |claim, error| dead::effects(&apology, claim, error));
        Ok(registry)
    }
}
