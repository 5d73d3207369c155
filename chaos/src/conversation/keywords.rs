//! The conversation with `keyword-bot`: each text or picture is acknowledged, and later answered in one call.

use std::{collections::HashSet, io::Cursor, path::Path, time::Duration};

use fastrand::Rng;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::Value;
use yamabiko_chaos::Said;
use yamabiko_queue::{Job, JobRecord};

use super::{Call, Conversation, Index, Load, Utterance};
use crate::check::Chat;

#[cfg(test)]
mod tests;

/// Subjects that the bot's sample of MediaWiki has pages and pictures for.
const KNOWN: [Subject; 6] = [
    Subject::japanese("富士山と東京"),
    Subject::japanese("新幹線で京都へ"),
    Subject::japanese("北海道の温泉"),
    Subject::japanese("桜と抹茶"),
    Subject::english("Mount Fuji and Tokyo"),
    Subject::english("A serval in Africa"),
];
/// Subjects that it has nothing for.
const UNKNOWN: [Subject; 2] =
    [Subject::japanese("宿題がなかなか終わらない"), Subject::english("My keyboard is too loud")];
/// What the bot says to a picture at once.
const WAIT_FOR_PICTURE: &str = "ちょっと待ってね / One moment, please";
/// How its answer to a picture begins.
const COLOURS: &str = "写真の色 / The colours of your picture:\n#";
/// How it answers a picture that LINE no longer has.
const GONE: &str = "その写真はもうありません。";
/// How it greets a user who comes back.
const GREETING: &str = "言葉や文章を送ると、";
/// What it says if it has given a request up.
const APOLOGY: &str = "申し訳ありません、処理できませんでした。";
/// The size of the pictures that users send.
const SIZE: u32 = 96;
/// The jobs that answer, and the one that keeps the loading animation going until they do.
const ANSWERING: [&str; 2] = ["research", "colours"];
const WAITING: &str = "keep_waiting";

/// Texts and pictures, acknowledgements and answers.
#[derive(Clone, Debug)]
pub(crate) struct Keywords;

/// What a text is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Subject {
    text: &'static str,
    language: Language,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Language {
    Japanese,
    English,
}

/// What a user sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A text about something in the sample.
    Known(Subject),
    /// A text about nothing in it.
    Unknown(Subject),
    Picture,
}

/// What the bot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum What {
    Acknowledged,
    /// The whole answer, in one call.
    Answered,
}

impl Subject {
    const fn japanese(text: &'static str) -> Self {
        Self { text, language: Language::Japanese }
    }

    const fn english(text: &'static str) -> Self {
        Self { text, language: Language::English }
    }

    /// Returns the text of a request, which no other has.
    fn text(self, request: u64) -> String {
        format!("{} x{request}", self.text)
    }

    /// Returns one of two texts.
    const fn either(self, japanese: &'static str, english: &'static str) -> &'static str {
        match self.language {
            Language::Japanese => japanese,
            Language::English => english,
        }
    }

    fn quoted(self, request: u64) -> String {
        let text = self.text(request);
        match self.language {
            Language::Japanese => format!("「{text}」"),
            Language::English => format!("“{text}”"),
        }
    }
}

impl Ask {
    fn acknowledgement(self) -> &'static str {
        match self {
            Self::Known(subject) | Self::Unknown(subject) => {
                subject.either("ちょっと待ってね", "One moment, please")
            }
            Self::Picture => WAIT_FOR_PICTURE,
        }
    }

    /// Says whether an answer has all that belongs to it.
    fn is_answered_by(self, request: u64, messages: &[&Value]) -> bool {
        let [first, rest @ ..] = messages else { return false };
        let first = first["text"].as_str().unwrap_or_default();
        let are_pictures =
            |messages: &[&Value]| messages.iter().all(|message| message["type"] == "image");
        match self {
            Self::Known(subject) => {
                let end = subject.either("おわた", "That is all");
                let about = subject.either("【デモ】", "[Demonstration]");
                let [pictures @ .., last] = rest else { return false };
                let last = last["text"].as_str().unwrap_or_default();
                first.starts_with(about)
                    && first.contains(&subject.quoted(request))
                    && (1..=3).contains(&pictures.len())
                    && are_pictures(pictures)
                    && last.ends_with(end)
            }
            Self::Unknown(subject) => {
                first.contains(&subject.quoted(request)) && rest.len() == 1 && are_pictures(rest)
            }
            Self::Picture => first.starts_with(COLOURS) && rest.len() == 1 && are_pictures(rest),
        }
    }
}

impl Conversation for Keywords {
    type Ask = Ask;
    type What = What;

    const BOT: &'static str = "keyword-bot";
    const LOAD: Load = Load {
        users: 60,
        pause: Duration::from_secs(30),
        short_pause: Duration::from_secs(6),
        faults: 4.0,
        faults_a_minute: 1.0,
        timers_a_minute: 0.0,
    };

    /// The sample, and not `OFFLINE`: so pages are looked up and pictures made and published, in several steps.
    fn settings(web_port: u16, folder: &Path) -> Vec<(&'static str, String)> {
        vec![
            ("DEMO", "true".to_owned()),
            ("MEDIA_URL", format!("http://127.0.0.1:{web_port}/media")),
            ("MEDIA_STORE", format!("file:{}", folder.join("media").display())),
        ]
    }

    fn choose(dice: &mut Rng) -> Ask {
        let one_of = |subjects: &[Subject], dice: &mut Rng| subjects[dice.usize(..subjects.len())];
        match dice.u32(0..100) {
            0..60 => Ask::Known(one_of(&KNOWN, dice)),
            60..80 => Ask::Unknown(one_of(&UNKNOWN, dice)),
            _ => Ask::Picture,
        }
    }

    fn choose_to_take_back(dice: &mut Rng) -> Ask {
        Self::choose(dice)
    }

    fn last_words() -> Ask {
        Ask::Unknown(UNKNOWN[0])
    }

    fn utterance(ask: &Ask, request: u64) -> Utterance {
        match ask {
            Ask::Known(subject) | Ask::Unknown(subject) => Utterance::Text(subject.text(request)),
            Ask::Picture => Utterance::Picture(picture(request)),
        }
    }

    fn expected(_ask: &Ask) -> Vec<What> {
        vec![What::Acknowledged, What::Answered]
    }

    fn place(what: &What) -> u32 {
        match what {
            What::Acknowledged => 0,
            What::Answered => 1,
        }
    }

    fn read(call: &Call<'_>, index: &Index<'_, Self>) -> Vec<Option<Said<What>>> {
        let acknowledged = |request: u64| {
            let ask = *index.ask(request)?;
            let [message] = call.messages[..] else { return None };
            (message["text"] == ask.acknowledgement()).then_some(What::Acknowledged)
        };
        let answered = |request: u64| {
            let ask = *index.ask(request)?;
            // LINE has no picture any more that was taken back, and the bot may learn of that first.
            let is_gone = || ask == Ask::Picture && index.is_taken_back(request) && says_gone(call);
            let is_answered = ask.is_answered_by(request, &call.messages) || is_gone();
            is_answered.then_some(What::Answered)
        };
        let said = match call.messages[0]["quotedMessageId"].as_str() {
            Some(quoted) => index
                .of_message(quoted)
                .and_then(|request| Some(Said { request, what: answered(request)?, run: None })),
            // LINE may have refused an answer's quote.
            None => call.request.and_then(|request| {
                let what = acknowledged(request).or_else(|| answered(request))?;
                Some(Said { request, what, run: None })
            }),
        };
        vec![said]
    }

    fn is_aside(message: &Value) -> bool {
        message["text"].as_str().is_some_and(|text| text.starts_with(GREETING))
    }

    fn is_apology(message: &Value) -> bool {
        message["text"].as_str().is_some_and(|text| text.starts_with(APOLOGY))
    }

    /// Acknowledgements leave in the chat's delivery lane, as their events were handled.
    fn handled(chat: &Chat<Self>) -> Vec<u64> {
        let acknowledged = chat.heard.iter().filter(|heard| heard.said.what == What::Acknowledged);
        let in_order = acknowledged.filter(|heard| !chat.is_orphan(heard));
        in_order.map(|heard| heard.said.request).collect()
    }

    fn may_have_passed(chat: &Chat<Self>, later: u64, earlier: u64) -> bool {
        let acknowledged = |request| {
            let is_it =
                |said: &Said<What>| (said.request, &said.what) == (request, &What::Acknowledged);
            chat.heard.iter().find(|heard| is_it(&heard.said))
        };
        acknowledged(later)
            .zip(acknowledged(earlier))
            .is_some_and(|(one, other)| one.may_pass(other))
    }

    /// The job that waits learns only at its next turn that the one that would have answered is dead.
    fn outlives(live: &JobRecord, dead: &[JobRecord]) -> bool {
        let is_answer = |job: &Job| ANSWERING.contains(&job.kind.as_str());
        let mut dead = dead.iter().map(|record| &record.job).filter(|job| is_answer(job));
        live.job.kind == WAITING && dead.any(|job| job.parent == live.job.parent)
    }

    /// The job that answers cancels the one that waits for it, in the same commit.
    fn forgotten(live: &[JobRecord]) -> Vec<&JobRecord> {
        let answering = live.iter().filter(|record| ANSWERING.contains(&record.job.kind.as_str()));
        let answering: HashSet<_> = answering.map(|record| &record.job.parent).collect();
        let waiting = live.iter().filter(|record| record.job.kind == WAITING);
        waiting.filter(|record| !answering.contains(&record.job.parent)).collect()
    }
}

/// Says whether a call says no more than that a picture is gone.
fn says_gone(call: &Call<'_>) -> bool {
    let [message] = call.messages[..] else { return false };
    message["text"].as_str().is_some_and(|text| text.starts_with(GONE))
}

/// Draws a picture of two colours, another one for each request.
fn picture(request: u64) -> Vec<u8> {
    let [.., red, green, blue] = request.wrapping_mul(7_919).to_be_bytes();
    let picture = RgbImage::from_fn(SIZE, SIZE, |x, _| {
        if x < SIZE / 3 { Rgb([red, green, blue]) } else { Rgb([blue, red, green]) }
    });
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("memory takes everything");
    bytes.into_inner()
}
