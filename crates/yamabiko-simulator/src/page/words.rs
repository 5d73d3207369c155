//! What the page says, in Japanese and in English.

/// Holds the page's words in one language.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) code: &'static str,
    pub(crate) title: &'static str,
    pub(crate) chat: &'static str,
    pub(crate) log: &'static str,
    pub(crate) log_hint: &'static str,
    pub(crate) users: &'static str,
    pub(crate) read: &'static str,
    pub(crate) write: &'static str,
    pub(crate) send: &'static str,
    pub(crate) stickers: &'static str,
    pub(crate) sticker: &'static str,
    pub(crate) picture: &'static str,
    pub(crate) unsent: &'static str,
    pub(crate) quote: &'static str,
    pub(crate) unsend: &'static str,
    pub(crate) block: &'static str,
    pub(crate) unblock: &'static str,
    pub(crate) blocked: &'static str,
    pub(crate) typing: &'static str,
    pub(crate) close: &'static str,
    pub(crate) nobody: &'static str,
    pub(crate) request: &'static str,
    pub(crate) response: &'static str,
    pub(crate) waiting: &'static str,
    pub(crate) again: &'static str,
    pub(crate) redelivery: &'static str,
    pub(crate) pushes: &'static str,
    pub(crate) empty: &'static str,
    pub(crate) offline: &'static str,
    pub(crate) refused: &'static str,
    /// The link to the other language.
    pub(crate) other: (&'static str, &'static str),
}

const JA: Words = Words {
    code: "ja",
    title: "LINE シミュレーター",
    chat: "トーク",
    log: "ログ",
    log_hint: "Webhook と API 呼び出し",
    users: "ユーザー",
    read: "既読",
    write: "メッセージを入力",
    send: "送信",
    stickers: "スタンプ",
    sticker: "スタンプ",
    picture: "画像",
    unsent: "メッセージの送信を取り消しました",
    quote: "リプライ",
    unsend: "送信取消",
    block: "ブロック",
    unblock: "ブロック解除",
    blocked: "ブロック中です。ボットからのメッセージは届きません。",
    typing: "入力中",
    close: "閉じる",
    nobody: "ユーザーがいません。POST /control/users で追加してください。",
    request: "リクエスト",
    response: "レスポンス",
    waiting: "応答待ち",
    again: "再送する",
    redelivery: "再送",
    pushes: "今月の push",
    empty: "メッセージを送ると、ボットに Webhook が届きます。",
    offline: "接続が切れました。再接続しています…",
    refused: "送信できませんでした",
    other: ("en", "English"),
};

const EN: Words = Words {
    code: "en",
    title: "LINE simulator",
    chat: "Chat",
    log: "Log",
    log_hint: "Webhooks and API calls",
    users: "Users",
    read: "Read",
    write: "Write a message",
    send: "Send",
    stickers: "Stickers",
    sticker: "Sticker",
    picture: "Picture",
    unsent: "This message was unsent",
    quote: "Reply",
    unsend: "Unsend",
    block: "Block",
    unblock: "Unblock",
    blocked: "The bot is blocked: nothing it says arrives here.",
    typing: "is typing",
    close: "Close",
    nobody: "There is no user; add one with POST /control/users.",
    request: "Request",
    response: "Response",
    waiting: "waiting",
    again: "Send again",
    redelivery: "again",
    pushes: "Pushes this month",
    empty: "Say something, and the bot gets a webhook.",
    offline: "The connection is lost. Trying again…",
    refused: "This could not be sent",
    other: ("ja", "日本語"),
};

/// Chooses by the address first, then by what the browser accepts; Japanese needs no other sign.
pub(crate) fn choose(asked: Option<&str>, accepted: Option<&str>) -> &'static Words {
    let first = |list: &str| {
        let known = list.split(',').map(str::trim).find_map(|tag| match tag.get(..2) {
            Some("ja") => Some(&JA),
            Some("en") => Some(&EN),
            _ => None,
        });
        known.unwrap_or(&EN)
    };
    match asked {
        Some("ja") => &JA,
        Some("en") => &EN,
        _ => accepted.map_or(&JA, first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_stronger_than_the_browser() {
        assert_eq!(choose(Some("en"), Some("ja")).code, "en");
        assert_eq!(choose(Some("xx"), Some("ja,en;q=0.8")).code, "ja");
        assert_eq!(choose(None, Some("fr-FR, en-GB;q=0.9, ja;q=0.1")).code, "en");
        assert_eq!(choose(None, Some("fr")).code, "en");
        assert_eq!(choose(None, None).code, "ja");
    }
}
