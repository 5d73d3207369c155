"""The clock of the page, asked of the control API."""
from world import ALICE, PHONE, expect, world

with world() as it:
    page = it.page()
    get = page.get_by_test_id
    get("side-rules").click()

    def now():
        return it.clock()["now"]

    def shown():
        return get("clock-now").evaluate("e => Date.parse(e.textContent)")

    def shows(condition, given):
        page.wait_for_function(
            f"given => {{ const at = Date.parse(document.querySelector('#now').textContent); return {condition}; }}",
            arg=given)

    # Moved forward by buttons and by a number.
    def forwards(seconds, act):
        before = now()
        with page.expect_response("**/control/clock"):
            act()
        moved = (now() - before) / 1000
        assert seconds <= moved < seconds + 30, moved
        shows("at >= given", (before + seconds * 1000) // 1000 * 1000)

    for seconds in (60, 3600, 86400):
        forwards(seconds, lambda: get(f"clock-{seconds}").click())
    get("clock-seconds").fill("90")
    forwards(90, lambda: get("clock-forward").click())

    # A thousand times as fast: what is shown runs with it.
    expect(get("clock-pace")).to_have_text("×1")
    get("clock-speed").fill("1000")
    get("clock-speed-ok").click()
    expect(get("clock-pace")).to_have_text("×1000")
    assert it.clock()["speed"] == 1000
    start = shown()
    shows("at > given", start + 600_000)
    assert now() >= start + 600_000

    # It stands, and is moved; what is shown is the time to the second.
    get("clock-stands").click()
    expect(get("clock-pace")).to_have_text("stands still")
    stood = it.clock()
    assert stood["stands"] and it.clock() == stood
    shows("at === given", stood["now"] // 1000 * 1000)
    it.shot(page, "page-clock")
    forwards(60, lambda: get("clock-60").click())
    assert now() == stood["now"] + 60_000
    get("clock-stands").click()
    expect(get("clock-pace")).to_have_text("×1000")
    assert not it.clock()["stands"]

    # What others say is followed, here and on a phone; what is no speed is not sent.
    phone = it.page(ALICE, PHONE, lang="ja", device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("tab-rules").click()
    it.call("POST", "/control/clock", {"speed": 5, "stands": True})
    expect(phone.get_by_test_id("clock-pace")).to_have_text("停止中")
    it.call("POST", "/control/clock", {"stands": False})
    for one in (page, phone):
        expect(one.get_by_test_id("clock-pace")).to_have_text("×5")
        expect(one.get_by_test_id("clock-speed")).to_have_value("5")
    it.shot(phone, "page-rules-phone")
    for wrong in ("0", "1001", "1.5"):
        get("clock-speed").fill(wrong)
        get("clock-speed-ok").click()
        assert not get("clock-speed").evaluate("e => e.validity.valid")
    assert it.clock()["speed"] == 5
