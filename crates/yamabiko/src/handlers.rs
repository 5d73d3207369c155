//! The author's handlers, one for each type of event.

use std::{fmt, sync::Arc};

use yamabiko_line::event::{Event, EventKind, MessageContent};

use crate::{Context, Result, registry::Work};

/// A handler as it is kept: it gets the whole event.
pub(crate) type Handler<S> = Arc<dyn Fn(Context<S>, Event) -> Work + Send + Sync>;

/// The types of events that can have a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum On {
    Text,
    Sticker,
    Image,
    Video,
    Audio,
    File,
    Location,
    MessageEdited,
    Unsend,
    Follow,
    Unfollow,
    Join,
    Leave,
    MemberJoined,
    MemberLeft,
    Postback,
    VideoPlayComplete,
    Beacon,
    AccountLink,
    Membership,
    /// An event, message or source that this program does not know.
    Unknown,
}

/// The handlers of an app.
pub(crate) struct Handlers<S> {
    by_type: Vec<(On, Handler<S>)>,
    other: Option<Handler<S>>,
}

impl<S> Default for Handlers<S> {
    fn default() -> Self {
        Self { by_type: Vec::new(), other: None }
    }
}

impl<S> fmt::Debug for Handlers<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let types: Vec<_> = self.by_type.iter().map(|(on, _)| on).collect();
        f.debug_struct("Handlers").field("by_type", &types).finish_non_exhaustive()
    }
}

impl<S: Send + Sync + 'static> Handlers<S> {
    /// Sets the handler of one type; the last one set counts.
    pub(crate) fn set(&mut self, on: On, handler: Handler<S>) {
        self.by_type.retain(|(known, _)| *known != on);
        self.by_type.push((on, handler));
    }

    /// Sets the handler of all types that have none.
    pub(crate) fn set_other(&mut self, handler: Handler<S>) {
        self.other = Some(handler);
    }

    /// Says whether no handler was set.
    pub(crate) fn is_empty(&self) -> bool {
        self.by_type.is_empty() && self.other.is_none()
    }

    /// Runs the event's handler, if there is one.
    pub(crate) fn handle(&self, cx: Context<S>, event: Event) -> Work {
        let on = On::of(&event.kind);
        let own = self.by_type.iter().find(|(known, _)| *known == on).map(|(_, handler)| handler);
        match own.or(self.other.as_ref()) {
            Some(handler) => handler(cx, event),
            None => Box::pin(async { Ok(()) }),
        }
    }
}

impl On {
    fn of(kind: &EventKind) -> Self {
        match kind {
            EventKind::Message(MessageContent::Text(_)) => Self::Text,
            EventKind::Message(MessageContent::Sticker(_)) => Self::Sticker,
            EventKind::Message(MessageContent::Image(_)) => Self::Image,
            EventKind::Message(MessageContent::Video(_)) => Self::Video,
            EventKind::Message(MessageContent::Audio(_)) => Self::Audio,
            EventKind::Message(MessageContent::File(_)) => Self::File,
            EventKind::Message(MessageContent::Location(_)) => Self::Location,
            EventKind::MessageEdited { .. } => Self::MessageEdited,
            EventKind::Unsend { .. } => Self::Unsend,
            EventKind::Follow { .. } => Self::Follow,
            EventKind::Unfollow => Self::Unfollow,
            EventKind::Join => Self::Join,
            EventKind::Leave => Self::Leave,
            EventKind::MemberJoined { .. } => Self::MemberJoined,
            EventKind::MemberLeft { .. } => Self::MemberLeft,
            EventKind::Postback { .. } => Self::Postback,
            EventKind::VideoPlayComplete { .. } => Self::VideoPlayComplete,
            EventKind::Beacon { .. } => Self::Beacon,
            EventKind::AccountLink { .. } => Self::AccountLink,
            EventKind::Membership { .. } => Self::Membership,
            _ => Self::Unknown,
        }
    }
}

/// Makes a handler that gets the whole event.
pub(crate) fn whole<S, F, W>(handler: F) -> Handler<S>
where
    F: Fn(Context<S>, Event) -> W + Send + Sync + 'static,
    W: Future<Output = Result> + Send + 'static,
{
    Arc::new(move |cx, event| Box::pin(handler(cx, event)))
}

/// Makes a handler that gets one part of the event; events without it end well, unhandled.
pub(crate) fn part<S, P, F, W>(handler: F, part: fn(Event) -> Option<P>) -> Handler<S>
where
    P: 'static,
    F: Fn(Context<S>, P) -> W + Send + Sync + 'static,
    W: Future<Output = Result> + Send + 'static,
{
    Arc::new(move |cx, event| match part(event) {
        Some(part) => Box::pin(handler(cx, part)),
        None => Box::pin(async { Ok(()) }),
    })
}
