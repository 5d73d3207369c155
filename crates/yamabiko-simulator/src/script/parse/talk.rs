//! What is said and done: the steps that begin with a name.

use serde_json::{Map, Value, json};

use super::super::Malformed;
use super::super::lines::Line;
use super::super::pattern::Pattern;
use super::super::step::{Act, Action, Deed, Expect, Media, What};
use super::super::words::{duration, name, names, object as json_object, text};
use super::options::{Options, which};

/// What ends a name.
const STOPS: [&str; 12] = [
    ":",
    " in ",
    " sends ",
    " shows ",
    " posts back ",
    " taps ",
    " unsends ",
    " edits ",
    " follows ",
    " unfollows ",
    " joins ",
    " leaves ",
];
/// The one that takes an event as it is.
const CAUSES: &str = " causes ";

/// Reads what a user does or the bot says.
pub(super) fn talk(line: &Line) -> Result<Action, Malformed> {
    if let Some(rest) = line.text.strip_prefix("Bot ") {
        let rest = rest.trim();
        return match rest.strip_prefix('→').or_else(|| rest.strip_prefix("->")) {
            Some(rest) => bot_says(rest.trim(), line),
            None => bot_moves(rest, line),
        };
    }
    if line.text.starts_with("Bot:") {
        return Err(Malformed::new(line.number, "the bot speaks to somebody: Bot → NAME: TEXT"));
    }
    user_acts(line)
}

fn bot_says(rest: &str, line: &Line) -> Result<Action, Malformed> {
    let wrong = |problem: String| Malformed::new(line.number, problem);
    let (chat, rest) = name(rest, &STOPS).map_err(wrong)?;
    let rest = rest.trim();
    let mut options = Options::of(line);
    if rest == "shows loading" {
        options.end()?;
        return Ok(Action::ShowsLoading { chat, within: None });
    }
    let what = if let Some(said) = rest.strip_prefix(':') {
        What::Text(Pattern::new(&text(said, line).map_err(wrong)?))
    } else if let Some(kind) = rest.strip_prefix("sends ") {
        What::Type(kind.trim().to_owned())
    } else {
        return Err(wrong("write: Bot → NAME: TEXT, or: Bot → NAME sends TYPE".into()));
    };
    let quotes = options.word("quotes")?;
    let expect = Expect {
        chat,
        what,
        via: options.word("by")?,
        quotes: quotes.map(|word| (word != "nothing").then(|| which(&word))),
        offers: options.take("offers", |rest, _| names(rest))?,
        has: options.has()?,
        label: options.label()?,
        within: None,
    };
    options.end()?;
    Ok(Action::Expect(expect))
}

fn bot_moves(rest: &str, line: &Line) -> Result<Action, Malformed> {
    let moves = [
        ("joins ", Deed::Happen(event("join"))),
        ("leaves ", Deed::Happen(event("leave"))),
        ("stands by in ", Deed::Mode("standby")),
        ("is active in ", Deed::Mode("active")),
    ];
    let found = moves.into_iter().find_map(|(verb, deed)| Some((deed, rest.strip_prefix(verb)?)));
    let Some((deed, chat)) = found else {
        let problem = "write: Bot → NAME: TEXT, Bot joins NAME, Bot leaves NAME, \
                       Bot stands by in NAME, or: Bot is active in NAME";
        return Err(Malformed::new(line.number, problem));
    };
    let chat = name(chat.trim(), &[]).map_err(|problem| Malformed::new(line.number, problem))?.0;
    let mut options = Options::of(line);
    let answered = match deed {
        Deed::Happen(_) => options.word("answered")?,
        // The bot is not told.
        _ => None,
    };
    options.end()?;
    Ok(Action::Act(Act { who: None, chat: Some(chat), deed, label: None, answered }))
}

fn user_acts(line: &Line) -> Result<Action, Malformed> {
    let wrong = |problem: String| Malformed::new(line.number, problem);
    let stops: Vec<_> = STOPS.into_iter().chain([CAUSES]).collect();
    let (who, rest) = name(&line.text, &stops).map_err(wrong)?;
    let rest = rest.trim();
    let (mut chat, rest) = match rest.strip_prefix("in ") {
        Some(rest) => {
            let (chat, rest) = name(rest.trim(), &stops).map_err(wrong)?;
            (Some(chat), rest.trim())
        }
        None => (None, rest),
    };
    let mut options = Options::of(line);
    let (verb, object) = split_verb(rest);
    let deed = match verb {
        ":" => {
            let message = json!({ "type": "text", "text": text(object, line).map_err(wrong)? });
            say(&message, &mut options)?
        }
        "sends" => sends(object, line, &mut options)?,
        "posts back" => postback(object, &mut options)?,
        "taps" => {
            let params = options.take("params", |rest, _| json_value(rest))?;
            Deed::Tap { label: name(object, &[]).map_err(wrong)?.0, params }
        }
        "unsends" => Deed::Unsend(which(object)),
        "edits" => {
            let (label, said) = name(object, &[":"]).map_err(wrong)?;
            let said = said.trim_start_matches(':');
            Deed::Edit(which(&label), text(said, line).map_err(wrong)?)
        }
        "causes" => Deed::Happen(json_object(&whole(object, line)).map_err(wrong)?),
        "follows" | "unfollows" if object.is_empty() && chat.is_none() => {
            Deed::Happen(event(verb.trim_end_matches('s')))
        }
        "joins" | "leaves" if chat.is_none() => {
            chat = Some(name(object, &[]).map_err(wrong)?.0);
            Deed::Member { joins: verb == "joins" }
        }
        _ => {
            return Err(wrong(format!(
                "{:?} says neither what is done nor what is said",
                line.text
            )));
        }
    };
    let label = options.label()?;
    let answered = options.word("answered")?;
    options.end()?;
    Ok(Action::Act(Act { who: Some(who), chat, deed, label, answered }))
}

/// Splits what somebody does into the verb and the rest.
fn split_verb(text: &str) -> (&str, &str) {
    for verb in [":", "posts back"] {
        if let Some(rest) = text.strip_prefix(verb) {
            return (verb, rest.trim());
        }
    }
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    (verb, rest.trim())
}

fn event(kind: &str) -> Map<String, Value> {
    Map::from_iter([("type".to_owned(), kind.into())])
}

fn say(message: &Value, options: &mut Options<'_>) -> Result<Deed, Malformed> {
    let message = message.as_object().cloned().unwrap_or_default();
    Ok(Deed::Say { message, quotes: options.quotes()? })
}

fn sends(rest: &str, line: &Line, options: &mut Options<'_>) -> Result<Deed, Malformed> {
    let wrong = |problem: String| Malformed::new(line.number, problem);
    if rest.starts_with('{') {
        let message = json_object(&whole(rest, line)).map_err(wrong)?;
        return say(&message.into(), options);
    }
    let (kind, what) = rest.split_once(' ').unwrap_or((rest, ""));
    let what = what.trim();
    match kind {
        "sticker" => {
            let (package, sticker) = what
                .split_once(' ')
                .ok_or_else(|| wrong("write: sends sticker PACKAGE STICKER".into()))?;
            say(
                &json!({ "type": "sticker", "packageId": package, "stickerId": sticker.trim() }),
                options,
            )
        }
        "location" => location(what, line, options),
        "image" | "video" | "audio" | "file" => {
            if what.is_empty() {
                return Err(wrong(format!("write: sends {kind} FILE")));
            }
            let media = Media {
                kind: kind.to_owned(),
                source: name(what, &[]).map_err(wrong)?.0,
                file_name: options.take("named", text)?,
                duration: options.take("lasts", |rest, _| duration(rest))?,
            };
            Ok(Deed::Send { media, quotes: options.quotes()? })
        }
        _ => Err(wrong(format!(
            "{kind:?} is no sticker, location, image, video, audio, file or message in JSON"
        ))),
    }
}

fn location(what: &str, line: &Line, options: &mut Options<'_>) -> Result<Deed, Malformed> {
    let mut words = what.splitn(3, ' ');
    let mut degrees = || words.next().and_then(|word| word.parse::<f64>().ok());
    let (Some(latitude), Some(longitude)) = (degrees(), degrees()) else {
        let problem = "write: sends location LATITUDE LONGITUDE TITLE";
        return Err(Malformed::new(line.number, problem));
    };
    let mut message = json!({ "type": "location", "latitude": latitude, "longitude": longitude });
    if let Some(title) = words.next() {
        let title = name(title.trim(), &[]);
        message["title"] = title.map_err(|problem| Malformed::new(line.number, problem))?.0.into();
    }
    if let Some(address) = options.take("address", text)? {
        message["address"] = address.into();
    }
    say(&message, options)
}

fn postback(data: &str, options: &mut Options<'_>) -> Result<Deed, Malformed> {
    let mut postback = event("postback");
    let data = name(data, &[]).map_or_else(|_| String::new(), |(data, _)| data);
    postback.insert("data".into(), data.into());
    if let Some(shown) = options.take("shows", text)? {
        postback.insert("displayText".into(), shown.into());
    }
    if let Some(params) = options.take("params", |rest, _| json_value(rest))? {
        postback.insert("params".into(), params);
    }
    Ok(Deed::Happen(postback))
}

fn json_value(text: &str) -> Result<Value, String> {
    json_object(text).map(Value::Object)
}

/// A line with the lines that go on with it.
fn whole(rest: &str, line: &Line) -> String {
    std::iter::once(rest).chain(line.more.iter().map(String::as_str)).collect::<Vec<_>>().join("\n")
}
