"""What the Python scripts share: the simulator's control API, a bot that keeps what it hears, and LINE's SDK."""

import http.server
import json
import os
import queue
import threading
import unittest
import urllib.error
import urllib.request

from linebot.v3.messaging import ApiClient, ApiException, Configuration, MessagingApi, MessagingApiBlob
from linebot.v3.messaging import ErrorResponse, PushMessageRequest, SetWebhookEndpointRequest, TextMessage

SIMULATOR, SECRET, TOKEN = (os.environ[name] for name in ("SIMULATOR", "SECRET", "TOKEN"))
SAKURA, ALICE, KENTA = ("U" + digit * 32 for digit in "123")
GROUP = "C" + "1" * 32
PATIENCE = 20

# No proxy stands between this machine and itself.
http_client = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def control(method, path, body=None, content_type="application/json"):
    """Calls the control API and returns the status and the answer."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(f"{SIMULATOR}/control{path}", data, {"content-type": content_type}, method=method)
    try:
        with http_client.open(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


def tell(path, body=None):
    """Posts to the control API, which must agree."""
    status, answer = control("POST", path, {} if body is None else body)
    assert status == 200, answer
    return answer


def chat_of(chat_id, after=0):
    """Returns the messages of a chat after the first `after`."""
    return control("GET", f"/chats/{chat_id}?after={after}")[1]["messages"]


class Bot(http.server.BaseHTTPRequestHandler):
    """Answers webhooks with `status`, as soon as it may, and keeps their bodies and signatures."""

    heard = queue.Queue()
    status = 200
    may_answer = threading.Event()
    may_answer.set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        Bot.heard.put((body, self.headers["x-line-signature"]))
        Bot.may_answer.wait(PATIENCE)
        self.send_response(Bot.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bot)
threading.Thread(target=server.serve_forever, daemon=True).start()
BOT = f"http://127.0.0.1:{server.server_port}/callback"


def hears():
    """Waits for the next webhook; returns its body and its signature."""
    return Bot.heard.get(timeout=PATIENCE)


def happens(chat_id, event):
    """Lets something happen in a chat; returns the event as the bot hears it."""
    tell(f"/chats/{chat_id}/events", event)
    return json.loads(hears()[0])["events"][0]


def add_group(group):
    """Adds a group or a room, and waits until the bot has heard that it is in it."""
    added = tell("/groups", group)
    hears()
    return added


def text(words="hi"):
    return TextMessage(text=words)


def push(to, *messages):
    return PushMessageRequest(to=to, messages=list(messages) or [text()])


class SdkTest(unittest.TestCase):
    """Gives each test a simulator that begins anew, and LINE's SDK with its addresses overridden."""

    def setUp(self):
        tell("/reset")
        Bot.status = 200
        client = ApiClient(Configuration(host=SIMULATOR, access_token=TOKEN))
        self.addCleanup(client.close)
        self.api, self.blob = MessagingApi(client), MessagingApiBlob(client)
        self.api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=BOT))
        while not Bot.heard.empty():
            Bot.heard.get()

    def says(self, chat_id, message, user_id=None):
        """Lets a user say something; returns the event as the bot hears it."""
        by = f"?userId={user_id}" if user_id else ""
        tell(f"/chats/{chat_id}/messages{by}", message)
        return json.loads(hears()[0])["events"][0]

    def reply_token(self, chat_id=SAKURA):
        return self.says(chat_id, {"type": "text", "text": "hello"})["replyToken"]

    def refused(self, status, call, *args, **kwargs):
        """Calls and must be refused; returns the SDK's error, and what it says as the SDK reads it."""
        with self.assertRaises(ApiException) as caught:
            call(*args, **kwargs)
        error = caught.exception
        self.assertEqual(error.status, status, error.body)
        self.assertTrue(error.headers["x-line-request-id"])
        return error, ErrorResponse.from_json(error.body)


def main():
    unittest.main(module="__main__", verbosity=2)
