"""The log, and the rules, each asked of the bot or the control API."""
import urllib.error

from world import ALICE, PHONE, SAKURA, Bot, expect, world

with world("--monthly-limit", "5") as it:
    page = it.page()
    get = page.get_by_test_id
    entries = page.locator("[data-testid=log-entry]:visible")

    def write(text):
        get("composer").fill(text)
        get("composer").press("Enter")
        return it.hears("message")

    # The log, filtered.
    it.reply(write("hi"), {"type": "text", "text": "hello"})
    it.push({"type": "text", "text": "to another"}, to=SAKURA)
    it.call("POST", f"/control/chats/{SAKURA}/messages", {"type": "text", "text": "hm"})
    it.hears("message")
    try:
        it.push({"type": "text", "text": ""})
    except urllib.error.HTTPError as refused:
        assert refused.code == 400
    expect(entries).to_have_count(5)
    get("log-filter-chat").click()
    expect(entries).to_have_count(3)
    get("log-filter-errors").click()
    expect(entries).to_have_count(1)
    expect(entries).to_have_attribute("data-status", "400")
    get("log-filter-all").click()
    expect(entries).to_have_count(5)
    expect(get("status")).to_contain_text("1 / 5 · left 4")

    # A webhook is sent again as a redelivery, and replayed as it was.
    entries.first.locator("summary").click()
    event_id = it.call("GET", "/control/log")["entries"][0]["webhookEventId"]
    entries.first.get_by_test_id("redeliver").click()
    again = it.hears("message")
    assert again["webhookEventId"] == event_id and again["deliveryContext"]["isRedelivery"]
    expect(entries).to_have_count(6)
    entries.first.get_by_test_id("replay").click()
    same = it.hears("message")
    assert same["webhookEventId"] == event_id and not same["deliveryContext"]["isRedelivery"]
    expect(entries).to_have_count(7)
    expect(entries.last).to_have_attribute("data-status", "200")
    raw = it.call("GET", "/control/log")["entries"]
    assert raw[-1]["request"] == raw[0]["request"] and raw[-1]["status"] == 200
    it.shot(page, "page-log")

    # The settings.
    get("side-rules").click()
    expect(get("quota")).to_contain_text("left 4")
    expect(get("setting-monthlyLimit")).to_have_value("5")
    expect(get("setting-replyTokenSeconds")).to_have_value("60")
    get("setting-monthlyLimit").fill("")
    get("setting-replyTokenSeconds").fill("5")
    get("setting-webhookTimeoutMs").fill("1500")
    get("setting-redeliveryAttempts").fill("1")
    get("setting-redeliveryFirstMs").fill("20")
    get("setting-markAsReadMode").select_option("manual")
    get("setting-preparingMs").fill("700")
    get("setting-consumptionLag").fill("3")
    get("setting-usedRetryKey").select_option("refused")
    expect(get("setting-rateLimits")).to_be_checked()
    get("setting-rateLimits").uncheck()
    get("settings-apply").click()
    expect(page.get_by_role("alert")).to_have_text("Changed")
    wanted = {"monthlyLimit": None, "replyTokenSeconds": 5, "webhookTimeoutMs": 1500, "redeliveryAttempts": 1,
              "redeliveryFirstMs": 20, "markAsReadMode": "manual", "preparingMs": 700, "rateLimits": False,
              "webhook": "on", "consumptionLag": 3, "usedRetryKey": "refused"}
    assert it.settings() == wanted, it.settings()
    expect(get("quota")).to_contain_text("no limit")
    it.shot(page, "page-settings")
    event = write("is it read?")
    assert event["message"]["markAsReadToken"]
    expect(get("message")).to_have_count(3)
    expect(get("read")).to_have_count(1)
    it.line("POST", "/v2/bot/chat/markAsRead", {"markAsReadToken": event["message"]["markAsReadToken"]})
    expect(get("read")).to_have_count(2)
    Bot.answer = 500
    write("refused")
    assert it.hears("message")["deliveryContext"]["isRedelivery"]
    Bot.answer = 200

    # LINE's rate limits, switched off: sixty tests of the webhook an hour are too few then.
    def test():
        return it.line("POST", "/v2/bot/channel/webhook/test", {})["success"]

    assert all(test() for _ in range(61))
    get("setting-rateLimits").check()
    with page.expect_response("**/control/settings"):
        get("settings-apply").click()
    assert it.settings()["rateLimits"] is True
    try:
        assert all(test() for _ in range(61))
        raise AssertionError("the limit was not reached")
    except urllib.error.HTTPError as refused:
        assert refused.code == 429

    phone = it.page(ALICE, PHONE, lang="ja", device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("tab-log").click()
    expect(phone.get_by_test_id("log-entry").last).to_be_visible()
    it.shot(phone, "page-log-phone")
    phone.get_by_test_id("tab-rules").click()
    expect(phone.get_by_test_id("setting-replyTokenSeconds")).to_have_value("5")
    phone.get_by_test_id("settings-apply").scroll_into_view_if_needed()
    it.shot(phone, "page-settings-phone")
    phone.get_by_test_id("tab-chat").click()
    expect(phone.get_by_test_id("composer")).to_be_visible()
    phone.close()

    # Starting over, refused first; the page comes up anew.
    page.once("dialog", lambda dialog: dialog.dismiss())
    get("reset").click()
    assert it.settings()["replyTokenSeconds"] == 5
    page.once("dialog", lambda dialog: dialog.accept())
    get("reset").click()
    expect(get("message")).to_have_count(0)
    assert it.settings()["replyTokenSeconds"] == 60
    it.mine = ["400"]
