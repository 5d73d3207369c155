"""A timer bot in Python: write a number of seconds to it, and it calls back."""

import os
import threading
from datetime import datetime, timedelta, timezone

from flask import Flask, abort, request
from linebot.v3 import WebhookParser
from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.messaging import (
    ApiClient, Configuration, MessageAction, MessagingApi, PushMessageRequest, QuickReply, QuickReplyItem,
    ReplyMessageRequest, TextMessage)
from linebot.v3.webhooks import MessageEvent, TextMessageContent

JAPAN = timezone(timedelta(hours=9))
YEAR = 365 * 24 * 60 * 60
BUTTONS = QuickReply(items=[QuickReplyItem(action=MessageAction(label=word, text=word)) for word in ("list", "cancel")])
HELP = "😵 Please send a whole number of seconds.\nExample: 180 (I call back in 3 minutes)"

app = Flask(__name__)
parser = WebhookParser(os.environ["LINE_CHANNEL_SECRET"])
line = MessagingApi(ApiClient(Configuration(
    host=os.environ.get("LINE_API_URL", "https://api.line.me"), access_token=os.environ["LINE_CHANNEL_ACCESS_TOKEN"])))
timers = []  # Of all chats, in the order in which they were set.
lock = threading.Lock()  # Each timer rings in a thread of its own.


class Timer:
    def __init__(self, chat, event, seconds):
        self.chat, self.seconds, self.quote = chat, seconds, event.message.quote_token
        # The time counts from the message, however late its webhook came.
        self.due = datetime.fromtimestamp(event.timestamp / 1000, JAPAN) + timedelta(seconds=seconds)
        self.alarm = threading.Timer((self.due - datetime.now(JAPAN)).total_seconds(), self.ring)
        self.alarm.daemon = True

    def ring(self):
        with lock:
            if self not in timers:
                return
            timers.remove(self)
        message = TextMessage(text=f"🔔 Time is up: {span(self.seconds)}.", quoteToken=self.quote)
        line.push_message(PushMessageRequest(to=self.chat, messages=[message]))


def units(seconds):
    parts = []
    for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count or (size == 1 and not parts):
            parts.append(f"{count} {name}")
    return " ".join(parts)


def span(seconds):
    return f"{seconds} s" if seconds < 60 else f"{seconds} s ({units(seconds)})"


def clock(time):
    return time.strftime("%H:%M:%S" if time.date() == datetime.now(JAPAN).date() else "%Y/%m/%d %H:%M:%S")


def say(words, buttons=None):
    return TextMessage(text=words, quickReply=buttons)


def start(chat, event, seconds):
    if seconds < 0:
        return say(HELP)
    if seconds > YEAR:
        return say(f"😵 The longest timer is one year ({YEAR} seconds).\nExample: 180")
    timer = Timer(chat, event, seconds)
    timers.append(timer)
    timer.alarm.start()
    return say(f"⏰ I will call you back in {span(seconds)}, at {clock(timer.due)}.", BUTTONS)


def show(mine):
    lines = [f"⏳ {len(mine)} pending"]
    for number, timer in enumerate(sorted(mine, key=lambda timer: timer.due), 1):
        left = max(0, int((timer.due - datetime.now(JAPAN)).total_seconds()))
        lines.append(f"{number}. {clock(timer.due)}, {units(left)} left ({timer.seconds} s)")
    return say("\n".join(lines), BUTTONS)


def cancel(mine):
    newest = mine[-1]
    timers.remove(newest)
    newest.alarm.cancel()
    rest = f"\n{len(mine) - 1} left." if len(mine) > 1 else ""
    return say(f"🗑 Cancelled the timer of {span(newest.seconds)} at {clock(newest.due)}.{rest}")


def answer(chat, event):
    """Does what a text asks for, and returns the answer."""
    words = event.message.text.strip().lower()
    mine = [timer for timer in timers if timer.chat == chat]
    if words in ("list", "cancel"):
        return (show if words == "list" else cancel)(mine) if mine else say("No timers are pending.")
    try:
        return start(chat, event, int(words))
    except ValueError:
        return say(HELP)


def reply(event):
    with lock:  # So that a timer of 0 s does not ring before it is confirmed.
        if isinstance(event, MessageEvent) and isinstance(event.message, TextMessageContent):
            source = event.source.to_dict()
            chat = source.get("groupId") or source.get("roomId") or source.get("userId")
            message = answer(chat, event)
            message.quote_token = event.message.quote_token
        else:
            message = say("😄")
        line.reply_message(ReplyMessageRequest(replyToken=event.reply_token, messages=[message]))


@app.post("/callback")
def callback():
    try:
        events = parser.parse(request.get_data(as_text=True), request.headers.get("X-Line-Signature", ""))
    except InvalidSignatureError:
        abort(401)
    for event in events:
        if getattr(event, "reply_token", None):
            reply(event)
    return "OK"


if __name__ == "__main__":
    # One request after the other keeps the messages of a chat in order.
    app.run(os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "3000")), threaded=False)
