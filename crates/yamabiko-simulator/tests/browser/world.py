"""A simulator, a bot that writes down what it hears, and a browser."""
import json
import queue
import re
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import expect, sync_playwright

BINARY, SCREENSHOTS = sys.argv[1:]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
SAKURA, ALICE, KENTA = ("U" + digit * 32 for digit in "123")
GROUP = "C" + "1" * 32
WIDE = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}
PATIENCE = 10
expect.set_options(timeout=PATIENCE * 1000)

# Where the bot's pictures are, for the browser alone.
PICTURES = "https://pictures.example"
SKIES = {"dawn": ("#f7c59f", "#e58f72", "#6b5b8c"), "noon": ("#bfe3f5", "#8cc3e0", "#3f7d5c"),
         "dusk": ("#46537f", "#29324f", "#171d33")}


def picture(sky="noon", width=600, height=400):
    """A mountain of our own drawing, as SVG."""
    above, below, hill = SKIES[sky]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 600 400" '
            f'preserveAspectRatio="xMidYMid slice"><rect width="600" height="400" fill="{below}"/>'
            f'<circle cx="440" cy="110" r="60" fill="{above}"/><path d="M40 400L300 120 560 400z" fill="{hill}"/>'
            '<path d="M300 120l-56 60q28 22 40 0 16 30 32 0 14 22 40 0z" fill="#f4f7fa"/>'
            f'<path d="M0 400q160-90 300-40t300-30v70z" fill="{hill}" opacity=".75"/></svg>')


class Bot(BaseHTTPRequestHandler):
    """Writes webhooks down and answers with what `answer` says."""
    heard = queue.Queue()
    answer = 200

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        status = Bot.answer
        for event in json.loads(body)["events"]:
            Bot.heard.put(event)
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def do_GET(self):
        drawn = picture().encode()
        self.send_response(200)
        self.send_header("content-type", "image/svg+xml")
        self.send_header("content-length", str(len(drawn)))
        self.end_headers()
        self.wfile.write(drawn)

    def log_message(self, *_):
        pass


def show(route):
    """Answers for the bot's pictures with the one that their address names."""
    sky = next((sky for sky in SKIES if sky in route.request.url), "noon")
    route.fulfill(content_type="image/svg+xml", body=picture(sky))


class World:
    def __init__(self, browser, address, bot):
        self.browser, self.address, self.bot = browser, address, bot
        self.problems = []
        self.mine = []  # Messages that are expected in the console.

    def page(self, chat=ALICE, size=WIDE, speaker=None, lang="en", **options):
        """Opens a chat in a browser of its own."""
        context = self.browser.new_context(
            viewport=size, locale="en-US", timezone_id="Asia/Tokyo",
            permissions=["clipboard-read", "clipboard-write"], **options)
        context.route(f"{PICTURES}/**", show)
        page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self.problems.append(message.text) if message.type == "error" else None)
        self.open(page, chat, speaker, lang)
        return page

    def open(self, page, chat, speaker=None, lang="en"):
        page.goto(f"{self.address}/?user={chat}&lang={lang}" + (f"&as={speaker}" if speaker else ""))
        self.is_live(page)

    def is_live(self, page):
        """Waits until a page that was just loaded hears of changes."""
        expect(page.locator("body")).to_have_attribute("data-live", "yes")

    def call(self, method, path, body=None, patience=PATIENCE, **headers):
        """Calls the simulator; gives its answer as JSON, or what it says otherwise."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json", **headers}
        request = urllib.request.Request(self.address + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=patience) as answer:
            told = answer.read()
            return json.loads(told) if "json" in answer.headers["content-type"] else told

    def line(self, method, path, body=None, **options):
        """Calls LINE's API as the bot."""
        return self.call(method, path, body, authorization="Bearer token", **options)

    def push(self, *messages, to=ALICE, **options):
        return self.line("POST", "/v2/bot/message/push", {"to": to, "messages": list(messages)}, **options)

    def reply(self, event, *messages):
        body = {"replyToken": event["replyToken"], "messages": list(messages)}
        return self.line("POST", "/v2/bot/message/reply", body)

    def hears(self, kind):
        """Waits for the next event and asserts its type."""
        event = Bot.heard.get(timeout=PATIENCE)
        assert event["type"] == kind, event
        return event

    def hears_nothing_more(self):
        assert Bot.heard.empty(), Bot.heard.get()

    def content(self, event):
        """Downloads what a user has sent, as the bot does."""
        return self.line("GET", f"/v2/bot/message/{event['message']['id']}/content")

    def messages(self, chat=ALICE):
        return self.call("GET", f"/control/chats/{chat}")["messages"]

    def clock(self):
        return self.call("GET", "/control/clock")

    def log(self):
        return self.call("GET", "/control/log")["entries"]

    def settings(self):
        return self.call("GET", "/control/settings")

    def shot(self, page, name):
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png", animations="disabled")


@contextmanager
def world(*arguments):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bot)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bot = f"http://127.0.0.1:{server.server_port}"
    simulator = subprocess.Popen(
        [BINARY, "--bot", f"{bot}/callback", "--secret", "secret", "--token", "token", "--port", "0",
         "--name", "Yama", *arguments], stderr=subprocess.PIPE, text=True)
    try:
        address = next(found.group() for line in simulator.stderr
                       if (found := re.search(r"http://127\.0\.0\.1:\d+", line)))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
            it = World(browser, address, bot)
            yield it
            browser.close()
            problems = [problem for problem in it.problems
                        if not any(expected in problem for expected in ["favicon", *it.mine])]
            assert not problems, problems
            it.hears_nothing_more()
    finally:
        simulator.terminate()
        simulator.wait()
        server.shutdown()
