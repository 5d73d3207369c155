"""Faults: switched on by the form, each asked of the bot that it hits."""
import json
import time
import urllib.error

from world import ALICE, PHONE, expect, world

with world() as it:
    page = it.page()
    get = page.get_by_test_id
    get("side-rules").click()
    it.call("POST", "/control/settings", {"redeliveryFirstMs": 20})

    def faults():
        return it.call("GET", "/control/faults")["faults"]

    def choose(whom, what, endpoint=None):
        get(f"fault-whom-{whom}").click()
        get(f"fault-{whom}-{what}").click()
        if endpoint:
            get("fault-endpoint").select_option(endpoint)

    def fill(**fields):
        """Fills in all fields that can be seen; those that are not given become empty."""
        for hook in ("fault-status", "fault-message", "fault-delayMs", "fault-delayMaxMs", "fault-duplicate",
                     "fault-chat", "fault-count", "fault-rate", "fault-seed"):
            if get(hook).is_visible():
                get(hook).fill(fields.get(hook.removeprefix("fault-"), ""))

    def switch_on(**expected):
        """Sends the form; gives the fault as the control API has it."""
        known = len(faults())
        with page.expect_response("**/control/faults") as response:
            get("fault-add").click()
        assert response.value.ok, response.value.text()
        *others, fault = faults()
        assert len(others) == known
        assert fault == {"rate": 1, "seed": 1, **expected}, fault

    def clear():
        get("faults-clear").click()
        expect(get("faults")).to_have_text("All goes well.")
        assert faults() == []

    said = 0

    def pushed(patience=10):
        """Pushes; gives LINE's refusal, or what went wrong else."""
        global said
        said += 1
        try:
            it.push({"type": "text", "text": f"push {said}"}, patience=patience)
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())["message"]
        except (ConnectionError, TimeoutError) as problem:
            return type(problem)
        return None

    def texts():
        return [message["text"] for message in it.messages()]

    def write(*words):
        for text in words:
            get("composer").fill(text)
            get("composer").press("Enter")

    # A status, with a message of its own, once; then it is off, also on the page.
    expect(get("faults")).to_have_text("All goes well.")
    choose("call", "status", "push")
    fill(status="503", message="come back later", count="1")
    switch_on(endpoint="push", status=503, message="come back later", count=1)
    expect(get("faults")).to_contain_text("push 503 · “come back later” · left 1")
    it.shot(page, "page-faults")
    assert pushed() == (503, "come back later")
    expect(get("faults")).to_have_text("All goes well.")
    assert pushed() is None

    # Each of the three limits.
    choose("call", "limit")
    for limit, words in (("rate", "too many calls"), ("user", "too many messages to one user"),
                         ("quota", "the month’s messages are used up")):
        get("fault-limit").select_option(limit)
        fill()
        switch_on(endpoint="push", limit=limit)
        expect(get("faults")).to_contain_text(f"push 429 {words}")
        code, message = pushed()
        assert code == 429 and message, message
        clear()
    assert message == "You have reached your monthly limit."

    # A chat of its own, and a property of a message.
    choose("call", "status")
    fill(status="403", chat=ALICE)
    switch_on(endpoint="push", status=403, chat=ALICE)
    expect(get("faults")).to_contain_text(f"push {ALICE} · 403")
    assert pushed()[0] == 403
    clear()
    fill(status="403", chat="C" + ALICE[1:])
    switch_on(endpoint="push", status=403, chat="C" + ALICE[1:])
    assert pushed() is None
    clear()
    choose("call", "refuse")
    get("fault-refuse").select_option("quickReply")
    fill()
    switch_on(endpoint="push", refuse="quickReply")
    expect(get("faults")).to_contain_text("push 400 quickReply")
    assert pushed() is None
    clear()

    # No answer, and connections that are reset: before and after the call took effect.
    for what, problem, patience in (("timeout", TimeoutError, 0.5), ("reset", ConnectionResetError, 10)):
        choose("call", what)
        for moment in ("before", "after"):
            get(f"fault-{what}").select_option(moment)
            fill(count="1")
            switch_on(endpoint="push", count=1, **{what: moment})
            assert pushed(patience) is problem
            if moment == "after":
                expect(get("message").last).to_contain_text(f"push {said}")
            assert (f"push {said}" in texts()) == (moment == "after")
    get("side-log").click()
    cut = page.locator(".entry.cut")
    expect(cut).to_have_count(4)
    expect(cut.first).to_contain_text("no answer")
    expect(cut.last).to_contain_text("reset")

    # A delay, fixed or random, for all calls; also together with something else.
    get("side-rules").click()
    choose("call", "delay", "*")
    fill(delayMs="200", delayMaxMs="250")
    switch_on(endpoint="*", delayMs=200, delayMaxMs=250)
    expect(get("faults")).to_contain_text("all calls Delayed 200–250 ms")
    began = time.monotonic()
    assert pushed() is None and time.monotonic() - began >= 0.2
    clear()
    choose("call", "status", "push")
    fill(status="500", delayMs="150")
    switch_on(endpoint="push", status=500, delayMs=150)
    began = time.monotonic()
    assert pushed()[0] == 500 and time.monotonic() - began >= 0.15
    clear()

    # A part of the calls: the same seed hits the same ones.
    def hits():
        fill(status="500", rate="0.5", seed="7")
        switch_on(endpoint="push", status=500, rate=0.5, seed=7)
        expect(get("faults")).to_contain_text("push 500 · 50% (Seed 7)")
        some = [pushed() is not None for _ in range(12)]
        clear()
        return some

    some = hits()
    assert some == hits() and {True, False} == set(some)

    # What makes no sense is not there, or not sent; what the API refuses is said.
    choose("call", "delay")
    for hidden in ("status", "message", "limit", "refuse", "timeout", "reset", "duplicate"):
        expect(get(f"fault-{hidden}")).to_be_hidden()
    fill()
    get("fault-add").click()
    assert not get("fault-delayMs").evaluate("e => e.validity.valid"), "a delay is needed"
    fill(delayMs="10", delayMaxMs="5")
    get("fault-add").click()
    assert not get("fault-delayMaxMs").evaluate("e => e.validity.valid"), "the longest is not the shortest"
    assert faults() == []
    fill(delayMs="10", count="99999999999")
    get("fault-add").click()
    expect(page.get_by_role("alert")).to_contain_text("This could not be sent")
    expect(page.get_by_role("alert")).to_contain_text("count")
    assert faults() == []

    # Webhooks that come several times.
    choose("webhook", "duplicate")
    expect(get("fault-endpoint")).to_be_hidden()
    fill(duplicate="2", count="1")
    switch_on(endpoint="callback", duplicate=2, count=1)
    expect(get("faults")).to_contain_text("Webhooks Duplicated +2 · left 1")
    write("thrice")
    heard = [it.hears("message") for _ in range(3)]
    assert len({event["webhookEventId"] for event in heard}) == 1
    assert not any(event["deliveryContext"]["isRedelivery"] for event in heard)

    # Later, out of order, and not at all: what was lost is sent again.
    choose("webhook", "delay")
    fill(delayMs="120", count="1")
    switch_on(endpoint="callback", delayMs=120, count=1)
    write("late")
    event = it.hears("message")
    sent = next(one for one in reversed(it.log()) if one["webhookEventId"] == event["webhookEventId"])
    assert event["message"]["text"] == "late" and sent["at"] - event["timestamp"] >= 120
    choose("webhook", "reorder")
    fill(count="1")
    switch_on(endpoint="callback", reorder=True, count=1)
    it.call("POST", "/control/clock", {"stands": True})  # The first one waits for the second, however long.
    write("first", "second")
    assert [it.hears("message")["message"]["text"] for _ in range(2)] == ["second", "first"]
    it.call("POST", "/control/clock", {"stands": False})
    choose("webhook", "lose")
    expect(get("fault-delayMs")).to_be_hidden()
    fill(count="1")
    switch_on(endpoint="callback", lose=True, count=1)
    write("lost")
    event = it.hears("message")
    assert event["message"]["text"] == "lost" and event["deliveryContext"]["isRedelivery"]
    assert [one["reason"] for one in it.log() if one["webhookEventId"] == event["webhookEventId"]] == ["lost", None]
    get("side-log").click()
    expect(cut).to_have_count(5)
    expect(cut.last).to_contain_text("lost")
    expect(page.locator(".entry.open")).to_have_count(0)
    it.shot(page, "page-log-faults")
    get("log-filter-errors").click()
    expect(cut.last).to_be_visible()
    cut.last.locator("summary").click()
    cut.last.get_by_test_id("redeliver").click()
    assert it.hears("message")["webhookEventId"] == event["webhookEventId"]

    # What others switch on is shown at once, on a phone and in Japanese.
    phone = it.page(ALICE, PHONE, lang="ja", device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("tab-rules").click()
    it.call("POST", "/control/faults", {"endpoint": "callback", "delayMaxMs": 5, "rate": 0.1})
    expect(phone.get_by_test_id("faults")).to_contain_text("Webhook 遅延 0–5 ms · 10% (乱数の種 1)")
    it.call("POST", "/control/faults", {"endpoint": "reply", "reset": "after"})
    expect(phone.get_by_test_id("faults")).to_contain_text("接続切断 処理の後")
    phone.get_by_test_id("fault-add").scroll_into_view_if_needed()
    it.shot(phone, "page-faults-phone")
    phone.get_by_test_id("fault-whom-webhook").click()
    phone.get_by_test_id("fault-add").scroll_into_view_if_needed()
    it.shot(phone, "page-faults-webhooks-phone")
    phone.get_by_test_id("tab-log").click()
    it.shot(phone, "page-log-faults-phone")
    phone.get_by_test_id("tab-rules").click()
    phone.get_by_test_id("faults-clear").click()
    expect(phone.get_by_test_id("faults")).to_have_text("障害はありません。")
    assert faults() == []
    it.mine = ["400"]
