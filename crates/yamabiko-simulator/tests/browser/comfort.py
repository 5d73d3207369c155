"""Long chats, small windows, the dark, the keyboard, two languages, coming back."""
import time

from world import ALICE, PHONE, SAKURA, expect, world

with world() as it:
    page = it.page()
    get = page.get_by_test_id
    scroll = page.locator(".scroll")

    # The keyboard alone: to a user, to the text, sent; Escape closes what is open.
    get(f"user-{ALICE}").focus()
    page.keyboard.press("Enter")
    expect(get("composer")).to_be_focused()
    it.is_live(page)
    page.keyboard.type("by keys")
    page.keyboard.press("Enter")
    assert it.hears("message")["message"]["text"] == "by keys"
    get("sticker-open").press("Enter")
    expect(get("sticker-446-1988")).to_be_visible()
    page.keyboard.press("Escape")
    expect(get("sticker-446-1988")).to_be_hidden()
    for control in page.locator("button, input:not([type=hidden]), select, textarea, a").all():
        label = control.evaluate(
            "e => e.ariaLabel || e.textContent.trim() || e.title || e.labels?.[0]?.textContent.trim() || ''")
        assert label, control.evaluate("e => e.outerHTML")

    # A long chat: 700 messages; the newest are there at once, the others on request.
    def lines(first, last):
        for n in range(first, last, 5):
            it.push(*[{"type": "text", "text": f"line {n + one}"} for one in range(5)])

    page.goto("about:blank")
    lines(1, 390)
    it.open(page, ALICE)
    lines(391, 700)
    expect(get("message").last).to_contain_text("line 700")
    assert get("message").count() <= 500, "the oldest make room"
    assert scroll.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight") < 80, "it follows the newest"
    it.open(page, ALICE)
    expect(get("message")).to_have_count(200)
    get("earlier").click()
    expect(get("message")).to_have_count(700)
    it.is_live(page)
    began = time.monotonic()
    get("composer").fill("still quick")
    get("composer").press("Enter")
    expect(get("message").last).to_contain_text("still quick")
    assert time.monotonic() - began < 5, "one more message in a long chat takes long"
    it.hears("message")

    # One who reads further up is not moved by what comes in, nor by a refresh.
    expect(get("newest")).to_be_hidden()
    scroll.evaluate("e => e.scrollTo(0, e.scrollHeight - 3000)")
    expect(get("newest")).to_be_visible()
    before = scroll.evaluate("e => e.scrollTop")
    it.push({"type": "text", "text": "unseen"})
    expect(get("message").last).to_contain_text("unseen")
    assert scroll.evaluate("e => e.scrollTop") == before
    left = scroll.evaluate("e => e.scrollHeight - e.scrollTop")
    get("composer").fill("a draft")
    page.reload()
    it.is_live(page)
    expect(get("newest")).to_be_visible()
    to_end = scroll.evaluate("e => e.scrollHeight - e.scrollTop")
    assert abs(to_end - left) < 60, (to_end, left)
    expect(get("composer")).to_have_value("a draft")
    get("newest").click()
    expect(get("newest")).to_be_hidden()
    get("side-rules").click()
    page.reload()
    it.is_live(page)
    expect(get("setting-monthlyLimit")).to_be_visible()

    # The other language.
    get("language").first.click()
    expect(get("composer")).to_have_attribute("placeholder", "メッセージを入力")
    expect(page.locator("html")).to_have_attribute("lang", "ja")
    it.is_live(page)

    # Narrow and dark.
    for width in (360, 390, 720, 721, 1020, 1280):
        page.set_viewport_size({"width": width, "height": 740})
        for view in ("tab-chat", "tab-log", "tab-rules") if width <= 720 else ("side-log", "side-rules"):
            get(view).click()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, view)
    it.push({"type": "text", "text": "おやすみなさい。明日は 6:00 に起こします。"}, to=SAKURA)
    dark = it.page(SAKURA, lang="ja", color_scheme="dark", reduced_motion="reduce")
    dark.get_by_test_id("composer").fill("ありがとう")
    dark.get_by_test_id("composer").press("Enter")
    it.hears("message")
    expect(dark.get_by_test_id("read")).to_be_visible()
    background = dark.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")
    assert background == "rgb(20, 26, 34)", background
    it.shot(dark, "page-dark")
    small = it.page(SAKURA, {"width": 360, "height": 640}, lang="ja", device_scale_factor=2)
    small.get_by_test_id("attach-open").click()
    it.shot(small, "page-360")
    phone = it.page(SAKURA, PHONE, lang="ja", color_scheme="dark", device_scale_factor=2)
    it.shot(phone, "page-dark-phone")
