"""Chats with the bot in Chromium: python browser.py ADDRESS FOLDER-FOR-SCREENSHOTS."""
import re
import sys

from playwright.sync_api import expect, sync_playwright

ADDRESS, SCREENSHOTS = sys.argv[1:]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync"]
ALICE = "U" + "2" * 32
PATIENCE = 20_000


def chat(page):
    page.goto(f"{ADDRESS}/?lang=en")
    page.get_by_test_id(f"user-{ALICE}").click()
    by_bot = page.locator("[data-testid=message][data-from=bot]")
    composer = page.get_by_test_id("composer")

    def say(text, answers):
        """Writes a text and waits until the bot has said as many messages in all."""
        composer.fill(text)
        composer.press("Enter")
        expect(by_bot).to_have_count(answers, timeout=PATIENCE)

    say("3", 1)
    expect(by_bot.nth(0)).to_contain_text("I will call you back in 3 s")
    expect(by_bot.nth(0).get_by_test_id("quote")).to_contain_text("3")
    say("hello", 2)
    expect(by_bot.nth(1)).to_contain_text("Example: 180")
    expect(by_bot).to_have_count(3, timeout=PATIENCE)
    asked = page.locator("[data-testid=message][data-from=user]").first
    waited = int(by_bot.nth(2).get_attribute("data-at")) - int(asked.get_attribute("data-at"))
    assert waited >= 3000, f"called back after {waited} ms"
    expect(by_bot.nth(2)).to_contain_text("Time is up: 3 s")
    expect(by_bot.nth(2).get_by_test_id("quote")).to_contain_text("3")
    page.get_by_test_id("sticker-open").click()
    page.get_by_test_id("sticker-446-1988").click()
    expect(by_bot).to_have_count(4, timeout=PATIENCE)
    expect(by_bot.nth(3)).to_contain_text("😄")
    page.screenshot(path=f"{SCREENSHOTS}/chat.png", animations="disabled")
    say("180", 5)
    say("list", 6)
    expect(by_bot.nth(5)).to_contain_text("1 pending")
    say("cancel", 7)
    expect(by_bot.nth(6)).to_contain_text("Cancelled the timer of 180 s")
    say("list", 8)
    expect(by_bot.nth(7)).to_contain_text("No timers are pending")
    expect(page.get_by_test_id("log-entry").first).to_be_visible()


def on_a_phone(browser):
    """The same conversation on a phone; nothing may reach beyond its width."""
    phone = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    phone.goto(f"{ADDRESS}/?lang=ja")
    phone.get_by_test_id(f"user-{ALICE}").click()
    expect(phone.locator("[data-testid=message]").last).to_be_visible()
    phone.screenshot(path=f"{SCREENSHOTS}/chat-phone.png", animations="disabled")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390, "the page is wider than the phone"


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    page = browser.new_page(locale="en-US", timezone_id="Asia/Tokyo", viewport={"width": 1280, "height": 860})
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    chat(page)
    on_a_phone(browser)
    browser.close()
    problems = [problem for problem in problems if not re.search(r"favicon", problem)]
    assert not problems, problems
