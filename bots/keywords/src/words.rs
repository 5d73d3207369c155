//! What the bot says, in Japanese and English.

use crate::{language::Language, request::Hint};

/// Returns what to send instead, in both languages, since the text tells none.
pub(crate) const fn hint(hint: Hint) -> &'static str {
    match hint {
        Hint::NoWords => {
            "調べる言葉が見つかりません。「けものフレンズ」のように、言葉や文章を送ってください。\nI find no word to look up. Send me some, like: Mount Fuji"
        }
        Hint::OnlyLinks => {
            "リンクの先は読みません。言葉や文章を送ってください。\nI do not open links. Send me words or a text, like: Mount Fuji"
        }
        Hint::OtherScript => {
            "日本語とラテン文字だけ読めます。「富士山」のように送ってください。\nI read Japanese and Latin script only. Send me something like: Mount Fuji"
        }
    }
}

/// What the bot does, in both languages.
pub(crate) const HELP: &str = "言葉や文章を送ると、何の話かを調べて、リンクと写真を返します。写真を送ると、その色を返します。\nSend me words or a text, and I come back with what it is about, with links and pictures. Send me a picture, and I tell its colours.";

/// What is said where LINE names no chat to come back to, in both languages.
pub(crate) const CANNOT_COME_BACK: &str = "送り先がわからないため、ここでは調べられません。友だちに追加して、1対1のトークで送ってください。\nI cannot come back here, since LINE does not tell me where to. Please add me as a friend and write to me in our own chat.";

/// What is said to a picture, in both languages, since it tells none.
pub(crate) mod to_a_picture {
    use crate::picture::PictureError;

    pub(crate) const WAIT: &str = "ちょっと待ってね / One moment, please";

    pub(crate) const COLOURS: &str = "写真の色 / The colours of your picture:";

    pub(crate) const ELSEWHERE: &str = "その写真は LINE の外にあるので開けません。写真そのものを送ってください。\nThat picture is not held by LINE, so I cannot open it. Send me the picture itself.";

    pub(crate) const GONE: &str = "その写真はもうありません。もう一度送ってください。\nThat picture is gone. Please send it again.";

    pub(crate) const NOT_READY: &str = "写真の準備が終わりませんでした。もう一度送ってください。\nThe picture did not get ready. Please send it again.";

    pub(crate) fn too_large(megabytes: usize) -> String {
        format!(
            "写真が大きすぎます。{megabytes} MB までのものを送ってください。\nThe picture is too large. Send one of at most {megabytes} MB."
        )
    }

    /// Tells why a picture could not be read, and what to send instead.
    pub(crate) fn unreadable(error: &PictureError) -> String {
        let (japanese, instead) = match error {
            PictureError::NotAPicture => (
                "写真を読めませんでした。JPEG か PNG を送ってください。",
                "Send a JPEG or PNG picture.",
            ),
            PictureError::TooManyBytes { .. } | PictureError::TooManyPixels { .. } => {
                ("写真が大きすぎます。縮小して送ってください。", "Send a smaller one.")
            }
            PictureError::Broken => (
                "写真が壊れていて読めませんでした。別の写真を送ってください。",
                "Send another one.",
            ),
        };
        format!("{japanese}\nI could not read the picture: {error}. {instead}")
    }
}

/// What the bot says in one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words(pub(crate) Language);

impl Words {
    /// Returns one of two texts.
    const fn either<'a>(self, japanese: &'a str, english: &'a str) -> &'a str {
        match self.0 {
            Language::Japanese => japanese,
            Language::English => english,
        }
    }

    pub(crate) const fn wait(self) -> &'static str {
        self.either("ちょっと待ってね", "One moment, please")
    }

    pub(crate) const fn demonstration(self) -> &'static str {
        self.either(
            "【デモ】手元の小さな見本だけを調べました。",
            "[Demonstration] I looked into a small sample on this machine only.",
        )
    }

    pub(crate) const fn offline(self) -> &'static str {
        self.either(
            "オフラインなので、送られた文章だけを調べました。",
            "I am offline, so I looked at your text alone.",
        )
    }

    pub(crate) const fn unreachable(self) -> &'static str {
        self.either(
            "ウィキペディアにつながらないので、送られた文章だけを調べました。",
            "Wikipedia cannot be reached now, so I looked at your text alone.",
        )
    }

    pub(crate) fn about(self, text: &str) -> String {
        match self.0 {
            Language::Japanese => format!("「{text}」の話に出てくる言葉:"),
            Language::English => format!("What comes up around “{text}”:"),
        }
    }

    pub(crate) fn nothing_found(self, text: &str) -> String {
        match self.0 {
            Language::Japanese => format!("「{text}」については何も見つかりませんでした。"),
            Language::English => format!("I found nothing about “{text}”."),
        }
    }

    pub(crate) const fn analysis(self) -> &'static str {
        self.either("文章はこう読みました:", "This is how I read your text:")
    }

    /// Says that so many more words follow that are not shown.
    pub(crate) fn and_more(self, count: usize) -> String {
        match self.0 {
            Language::Japanese => format!("ほか {count} 語"),
            Language::English if count == 1 => "and 1 more word".to_owned(),
            Language::English => format!("and {count} more words"),
        }
    }

    pub(crate) const fn pictures(self) -> &'static str {
        self.either("写真:", "Pictures:")
    }

    pub(crate) const fn done(self) -> &'static str {
        self.either("おわた", "That is all")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_word_is_no_plural() {
        let english = Words(Language::English);
        assert_eq!(
            [1, 2].map(|count| english.and_more(count)),
            ["and 1 more word", "and 2 more words"]
        );
    }
}
