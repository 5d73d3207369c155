"""Chats with the keyword bot in Chromium: python browser.py ADDRESS FOLDER-FOR-SCREENSHOTS."""
import re
import sys
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

ADDRESS, SCREENSHOTS = sys.argv[1:]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
ALICE = "U" + "2" * 32
PATIENCE = 60_000
PARAGRAPH = ("先週、友だちと新幹線に乗って京都へ行きました。車窓から見えた富士山がとてもきれいで、"
             "着いてからは桜の下で寿司を食べました。来年の春は北海道にも行ってみたいと思っています。")


def chat(page):
    page.goto(f"{ADDRESS}/?lang=ja")
    page.get_by_test_id(f"user-{ALICE}").click()
    by_bot = page.locator("[data-testid=message][data-from=bot]")
    composer = page.get_by_test_id("composer")

    def answer(text):
        """Writes a text and returns what the bot has answered, up to its last word."""
        before = by_bot.count()
        composer.fill(text)
        composer.press("Enter")
        expect(by_bot.nth(before)).to_contain_text("ちょっと待ってね", timeout=PATIENCE)
        expect(by_bot.last).to_contain_text("おわた", timeout=PATIENCE)
        return [by_bot.nth(n) for n in range(before, by_bot.count())]

    def pictures_are_shown(messages):
        pictures = [message.locator("img") for message in messages if message.locator("img").count()]
        assert pictures, "there is no picture"
        for picture in pictures:
            # Pictures are loaded when they come into view.
            picture.first.scroll_into_view_if_needed()
            page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=picture.first.element_handle(),
                                   timeout=PATIENCE)

    first = answer("けものフレンズ")
    expect(first[1]).to_contain_text("1. サーバル")
    expect(first[1].get_by_test_id("quote")).to_contain_text("けものフレンズ")
    pictures_are_shown(first)
    first[-1].scroll_into_view_if_needed()
    page.screenshot(path=f"{SCREENSHOTS}/keywords.png", animations="disabled")
    second = answer(PARAGRAPH)
    expect(second[1]).to_contain_text("3. ")
    pictures_are_shown(second)
    second[1].scroll_into_view_if_needed()
    page.screenshot(path=f"{SCREENSHOTS}/keywords-paragraph.png", animations="disabled")


def on_a_phone(browser):
    """The same chat on a phone; nothing may reach beyond its width."""
    phone = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    phone.goto(f"{ADDRESS}/?lang=ja")
    phone.get_by_test_id(f"user-{ALICE}").click()
    expect(phone.locator("[data-testid=message]").last).to_be_visible()
    phone.screenshot(path=f"{SCREENSHOTS}/keywords-phone.png", animations="disabled")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390, "the page is wider than the phone"


def sends_a_picture(page):
    """Sends a screenshot as a picture, and is told its colours."""
    by_bot = page.locator("[data-testid=message][data-from=bot]")
    before = by_bot.count()
    picture = Path(SCREENSHOTS, "keywords.png").read_bytes()
    sent = page.request.post(f"{ADDRESS}/control/chats/{ALICE}/media?type=image&contentType=image/png",
                             headers={"content-type": "application/octet-stream"}, data=picture)
    assert sent.ok, sent.text()
    expect(by_bot).to_have_count(before + 3, timeout=PATIENCE)
    expect(by_bot.nth(before + 1)).to_contain_text("写真の色")
    by_bot.nth(before + 2).scroll_into_view_if_needed()
    card = by_bot.nth(before + 2).locator("img").first.element_handle()
    page.wait_for_function("image => image.complete && image.naturalWidth > 100", arg=card, timeout=PATIENCE)
    page.screenshot(path=f"{SCREENSHOTS}/keywords-colours.png", animations="disabled")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    page = browser.new_page(locale="ja-JP", timezone_id="Asia/Tokyo", viewport={"width": 1280, "height": 1000})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    chat(page)
    sends_a_picture(page)
    on_a_phone(browser)
    browser.close()
    problems = [problem for problem in problems if not re.search(r"favicon", problem)]
    assert not problems, problems
