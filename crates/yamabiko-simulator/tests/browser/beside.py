"""The log, and the switches for time and faults, each asked of the control API."""
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
    get("settings-apply").click()
    expect(page.get_by_role("alert")).to_have_text("Changed")
    wanted = {"monthlyLimit": None, "replyTokenSeconds": 5, "webhookTimeoutMs": 1500, "redeliveryAttempts": 1,
              "redeliveryFirstMs": 20, "markAsReadMode": "manual", "preparingMs": 700}
    assert wanted.items() <= it.settings().items(), it.settings()
    expect(get("quota")).to_contain_text("no limit")
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

    # The clock, moved forward by buttons and by a number.
    def now():
        return it.call("GET", "/control/status")["now"]

    def forwards(seconds, act):
        before = now()
        with page.expect_response(lambda response: response.request.method == "POST"):
            act()
        moved = (now() - before) / 1000
        assert seconds <= moved < seconds + 30, moved

    for seconds in (60, 3600, 86400):
        forwards(seconds, lambda: get(f"clock-{seconds}").click())
    get("clock-seconds").fill("90")
    forwards(90, lambda: get("clock-forward").click())
    expect(get("clock-now")).not_to_have_text("–")

    # Its speed and its standing still, where the simulator has them.
    asked = []

    def clock(route):
        if route.request.method == "POST":
            asked.append(route.request.post_data_json)
        route.fulfill(json={"now": 1_790_000_000_000, "speed": 10, "stands": False})

    page.route("**/control/clock", clock)
    get("side-log").click()
    get("side-rules").click()
    expect(get("clock-speed")).to_have_value("10")
    get("clock-speed").fill("60")
    get("clock-speed-ok").click()
    expect(get("clock-speed")).to_have_value("10")
    get("clock-stands").click()
    expect(get("clock-stands")).not_to_be_checked()
    assert asked == [{"speed": 60}, {"stands": True}], asked
    page.unroute("**/control/clock")

    # Faults.
    def faults():
        return it.call("GET", "/control/faults")["faults"]

    get("fault-endpoint").select_option("push")
    get("fault-status").fill("429")
    get("fault-count").fill("1")
    get("fault-more").click()
    get("fault-message").fill("too fast")
    with page.expect_response("**/control/faults"):
        get("fault-add").click()
    expect(get("faults")).to_contain_text("push: ")
    fault, = faults()
    assert {"endpoint": "push", "status": 429, "message": "too fast", "count": 1}.items() <= fault.items()
    it.shot(page, "page-rules")
    try:
        it.push({"type": "text", "text": "?"})
        raise AssertionError("the fault was not hit")
    except urllib.error.HTTPError as refused:
        assert refused.code == 429
    get("fault-endpoint").select_option("reply")
    get("fault-status").fill("")
    get("fault-message").fill("")
    get("fault-timeout").select_option("after")
    get("fault-delayMs").fill("50")
    get("fault-json").fill('{"count": 3}')
    get("fault-add").click()
    expect(get("faults")).to_contain_text("reply: ")
    fault, = faults()
    assert {"endpoint": "reply", "timeout": "after", "delayMs": 50, "count": 3}.items() <= fault.items()
    get("faults-clear").click()
    expect(get("faults")).to_have_text("Every call goes well.")
    assert faults() == []

    # What the form has beside, as it is sent.
    page.route("**/control/faults", lambda route: route.fulfill(json={"faults": []}))
    get("fault-timeout").select_option("")
    get("fault-delayMs").fill("")
    get("fault-count").fill("")
    get("fault-json").fill("")
    get("fault-rate").fill("0.25")
    get("fault-seed").fill("7")
    get("fault-limit").fill("10")
    for name in ("reset", "duplicate", "reorder", "lose"):
        get(f"fault-{name}").check()
    with page.expect_request(lambda request: request.method == "POST") as request:
        get("fault-add").click()
    assert request.value.post_data_json == {
        "endpoint": "reply", "rate": 0.25, "seed": 7, "limit": 10,
        "reset": True, "duplicate": True, "reorder": True, "lose": True}
    page.unroute("**/control/faults")

    phone = it.page(ALICE, PHONE, lang="ja", device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("tab-log").click()
    expect(phone.get_by_test_id("log-entry").last).to_be_visible()
    it.shot(phone, "page-log-phone")
    phone.get_by_test_id("tab-rules").click()
    expect(phone.get_by_test_id("setting-replyTokenSeconds")).to_have_value("5")
    it.shot(phone, "page-rules-phone")
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
    it.mine = ["400", "429", "404", "405"]
