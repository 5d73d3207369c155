//! What the page says, in Japanese and in English.

/// Makes the page's words of a table: a name, the Japanese, the English.
macro_rules! words {
    ($($name:ident: $ja:literal, $en:literal;)*) => {
        /// Holds the page's words in one language.
        #[derive(Debug)]
        pub(crate) struct Words { $(pub(crate) $name: &'static str,)* }
        const JA: Words = Words { $($name: $ja,)* };
        const EN: Words = Words { $($name: $en,)* };
    };
}

words! {
    code: "ja", "en";
    other_code: "en", "ja";
    other_name: "English", "日本語";
    title: "LINE シミュレーター", "LINE simulator";
    chat: "トーク", "Chat";
    log: "ログ", "Log";
    rules: "時間と障害", "Time and faults";
    log_hint: "Webhook と API 呼び出し", "Webhooks and API calls";
    users: "ユーザー", "Users";
    groups: "グループ", "Groups";
    chats: "トーク一覧", "Chats";
    read: "既読", "Read";
    edited: "編集済み", "edited";
    write: "メッセージを入力", "Write a message";
    send: "送信", "Send";
    stickers: "スタンプ", "Stickers";
    sticker: "スタンプ", "Sticker";
    picture: "画像", "Picture";
    video: "動画", "Video";
    audio: "音声", "Audio";
    file: "ファイル", "File";
    location: "位置情報", "Location";
    camera: "カメラ", "Camera";
    unsent: "メッセージの送信を取り消しました", "This message was unsent";
    quote: "リプライ", "Reply";
    edit: "編集", "Edit";
    editing: "メッセージを編集中", "Editing your message";
    unsend: "送信取消", "Unsend";
    block: "ブロック", "Block";
    unblock: "ブロック解除", "Unblock";
    blocked: "ブロック中です。ボットからのメッセージは届きません。", "The bot is blocked: nothing it says arrives here.";
    standby: "スタンバイ", "Standby";
    in_standby: "スタンバイ中です。ほかのチャネルが応対しています。", "Standby: another channel has taken the chat over.";
    typing: "入力中", "is typing";
    close: "閉じる", "Close";
    cancel: "キャンセル", "Cancel";
    ok: "OK", "OK";
    nobody: "ユーザーがいません。POST /control/users で追加してください。", "There is no user; add one with POST /control/users.";
    request: "リクエスト", "Request";
    response: "レスポンス", "Response";
    waiting: "応答待ち", "waiting";
    again: "再送する", "Send again";
    replay: "元のまま送る", "Replay as it was";
    redelivery: "再送", "again";
    all: "すべて", "All";
    this_chat: "このトーク", "This chat";
    errors: "エラー", "Errors";
    pushes: "今月の push", "Pushes this month";
    left: "残り", "left";
    unlimited: "上限なし", "no limit";
    empty: "メッセージを送ると、ボットに Webhook が届きます。", "Say something, and the bot gets a webhook.";
    earlier: "以前のメッセージ", "Earlier messages";
    newest: "最新のメッセージへ", "To the newest message";
    offline: "接続が切れました。再接続しています…", "The connection is lost. Trying again…";
    refused: "送信できませんでした", "This could not be sent";
    copied: "コピーしました", "Copied";
    more: "その他", "More";
    speaker: "発言者", "Speak as";
    member_count: "人", "members";
    members: "メンバー", "Members";
    add_member: "追加", "Add";
    remove_member: "退会させる", "Remove";
    mention_all: "全員", "Everybody";
    invite: "ボットを招待", "Invite the bot";
    remove_bot: "ボットを退会", "Remove the bot";
    bot_absent: "ボットはこのグループにいません。", "The bot is not in this group.";
    new_user: "ユーザーを追加", "New user";
    new_group: "グループを作成", "New group";
    name: "名前", "Name";
    language: "言語", "Language";
    room: "名前のないグループ（room）", "A room, which has no name";
    join: "ボットも参加する", "The bot joins";
    create: "作成", "Create";
    place_title: "場所の名前", "Name of the place";
    address: "住所", "Address";
    latitude: "緯度", "Latitude";
    longitude: "経度", "Longitude";
    map: "地図で見る", "Open the map";
    beacon: "ビーコン", "Beacon";
    beacon_type: "種類", "Type";
    beacon_message: "デバイスメッセージ（16進）", "Device message, hexadecimal";
    raw_event: "イベント（JSON）", "Event as JSON";
    raw_hint: "type のほかは省略できます。足りない項目は LINE と同じように補われます。", "Only type is needed; what LINE adds is added.";
    bad_json: "JSON ではありません", "This is not JSON";
    choose: "日時を選択", "Choose";
    watched: "最後まで見た", "Watched to the end";
    save: "トークを保存", "Save the chat";
    replay_chat: "保存したトークを再生", "Play a saved chat";
    playing: "再生しています…", "Playing…";
    script: "トークの再生", "The chat was played";
    passed: "成功", "Passed";
    steps: "ステップ", "steps";
    failed: "失敗", "Failed";
    line: "行", "line";
    expected: "期待", "Expected";
    came: "実際", "What came";
    so_far: "ここまでのトーク", "The chat so far";
    lost: "消失", "lost";
    connection_reset: "接続切断", "reset";
    withheld: "応答なし", "no answer";
    settings: "ルール", "Rules";
    monthly_limit: "1 か月の push の上限（空欄は上限なし）", "Pushes a month (empty: no limit)";
    consumption_lag: "使用数に反映されていない push", "Pushes not in the consumption yet";
    reply_seconds: "応答トークンの寿命（秒）", "Life of a reply token (s)";
    webhook_timeout: "Webhook の制限時間（ミリ秒）", "Time to answer a webhook (ms)";
    attempts: "再送の回数（0 は再送なし）", "Redeliveries (0: none)";
    first_wait: "最初の再送までの時間（ミリ秒）", "Wait before the first (ms)";
    mark_mode: "既読", "Read marks";
    mark_auto: "自動（チャット オフ）", "automatic (Chat off)";
    mark_manual: "手動（チャット オン）", "by the bot (Chat on)";
    rate_limits: "呼び出し回数の上限を守らせる（429）", "Refuse calls over LINE’s rate limits (429)";
    used_key: "本文の違うリトライキー", "A retry key with another body";
    used_key_accepted: "受付済みなら 409", "409 if it was accepted";
    used_key_refused: "400", "400";
    webhook_use: "Webhook の利用", "Webhook";
    webhook_on: "オン", "on";
    webhook_off: "オフ", "off";
    webhook_unset: "URL 未設定", "no address set";
    preparing: "動画・音声の準備時間（ミリ秒）", "Preparing a video or an audio (ms)";
    apply: "変更", "Apply";
    applied: "変更しました", "Changed";
    clock: "時計", "Clock";
    clock_hint: "応答トークン・再送・上限はこの時計に従います。ボットの時計は別です。", "Reply tokens, redeliveries and limits follow it; the bot has a clock of its own.";
    seconds: "秒", "Seconds";
    forward: "進める", "Move forward";
    minute: "+1 分", "+1 min";
    hour: "+1 時間", "+1 h";
    day: "+1 日", "+1 day";
    speed: "速さ（倍）", "Speed (times)";
    stands: "停止中", "stands still";
    stand: "止める", "Stop";
    run: "動かす", "Go on";
    faults: "障害", "Faults";
    no_faults: "障害はありません。", "All goes well.";
    whom: "対象", "Whom";
    calls: "API 呼び出し", "Calls of the bot";
    all_calls: "すべての呼び出し", "all calls";
    webhooks: "Webhook", "Webhooks";
    endpoint: "エンドポイント", "Endpoint";
    what: "起こること", "What happens";
    refusal: "エラー応答", "Refused";
    status: "ステータス", "Status";
    message: "メッセージ", "Message";
    usual: "LINE の通常の文", "LINE’s usual text";
    limit: "上限超過", "Limit reached";
    refused_property: "項目の拒否", "Property refused";
    property: "拒否する項目", "Property";
    of_chat: "対象のトーク（ID）", "Chat (id)";
    all_chats: "すべて", "all";
    limit_which: "429 の理由", "Why 429";
    limit_rate: "呼び出しが多すぎる", "too many calls";
    limit_user: "同じ相手への送信が多すぎる", "too many messages to one user";
    limit_quota: "今月の上限に達した", "the month’s messages are used up";
    timeout: "応答なし", "No answer";
    reset_connection: "接続切断", "Connection reset";
    moment: "タイミング", "When";
    before: "処理の前", "before it takes effect";
    after: "処理の後", "after it took effect";
    delay: "遅延", "Delayed";
    delay_least: "遅延（ミリ秒）", "Delay (ms)";
    delay_most: "最大（ランダム）", "Up to (random)";
    duplicate: "重複", "Duplicated";
    duplicate_hint: "同時に届きます。再送の印は付きません。", "They come at the same time, not as redeliveries.";
    copies: "余分に届く数", "How many more";
    reorder: "順番が前後", "Out of order";
    reorder_hint: "同じトークの次の Webhook の後に届きます。次がなければ 1 秒後です。", "It comes after the chat’s next one, or 1 s later if there is none.";
    lose: "消失", "Lost";
    lose_hint: "届きません。ボットが拒否したときと同じように再送されます。", "It never leaves, and is redelivered as if the bot had refused it.";
    count: "回数", "How often";
    rate: "割合（0〜1）", "Rate (0–1)";
    seed: "乱数の種", "Seed";
    until_cleared: "解除まで", "until cleared";
    add_fault: "障害を起こす", "Switch on";
    clear_faults: "すべて解除", "Clear all";
    reset: "最初からやり直す", "Start over";
    reset_hint: "トーク・ログ・ルール・障害をすべて消します。", "Forgets chats, log, rules and faults.";
}

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
