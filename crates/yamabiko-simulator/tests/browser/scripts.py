"""Chats are saved as scripts and played again: how that went is told."""
from pathlib import Path

from world import ALICE, GROUP, PHONE, SAKURA, expect, world

with world() as it:
    page = it.page()
    get = page.get_by_test_id

    def play(one, script):
        one.get_by_test_id("attach-open").click()
        one.get_by_test_id("transcript-replay").set_input_files(
            {"name": "chat.script", "mimeType": "text/plain", "buffer": script.encode()})

    def says(text):
        return {"type": "text", "text": text}

    # Saved: the file is the chat's transcript.
    get("composer").fill("hello")
    get("composer").press("Enter")
    it.reply(it.hears("message"), says("good morning"))
    expect(get("message")).to_have_count(2)
    get("attach-open").click()
    with page.expect_download() as saved:
        get("transcript-save").click()
    assert saved.value.suggested_filename == f"{ALICE}.script"
    script = Path(saved.value.path()).read_text()
    assert script == it.call("GET", f"/control/chats/{ALICE}/transcript").decode()
    assert "Alice: hello\nBot → Alice: good morning\n" in script, script
    page.keyboard.press("Escape")

    # Played: the bot hears it again, and answers as it did.
    play(page, script)
    event = it.hears("message")
    expect(page.get_by_role("alert")).to_have_text("Playing…")
    assert event["message"]["text"] == "hello" and event["source"]["userId"] == ALICE
    it.reply(event, says("good morning"))
    expect(get("outcome")).to_have_text("Passed · 3 steps")
    expect(get("outcome-expected")).to_be_hidden()
    expect(get("message")).to_have_count(4)
    it.shot(page, "page-script-passed")
    get("outcome-cancel").click()
    expect(get("dialog-outcome")).to_be_hidden()

    # Another answer than before: the line, what was expected and what came.
    line = script.splitlines().index("Bot → Alice: good morning") + 1
    play(page, script)
    it.reply(it.hears("message"), says("good night"))
    expect(get("outcome")).to_have_text(f"Failed · line {line}")
    expect(get("outcome-expected")).to_contain_text("Bot → Alice: good morning")
    expect(get("outcome-came")).to_contain_text("good night")
    expect(get("outcome-chat")).to_contain_text("Alice: hello")
    it.shot(page, "page-script-failed")
    get("outcome-cancel").click()

    # What is no script is not played, and why is said.
    play(page, "Alice whispers hello")
    expect(get("outcome")).to_contain_text("Failed · line 1: ")
    get("outcome-cancel").click()
    assert len(it.messages()) == 6

    # One who speaks here leaves the group: the page goes on as another when the script is over.
    group = it.page(GROUP, speaker=SAKURA)
    play(group, "さくら leaves 山の会\nnothing within 10 ms\n")
    it.hears("memberLeft")
    expect(group.get_by_test_id("outcome")).to_have_text("Passed · 2 steps")
    expect(group.locator("body")).to_have_attribute("data-me", SAKURA)
    group.get_by_test_id("outcome-cancel").click()
    expect(group.locator("body")).to_have_attribute("data-me", ALICE)
    group.context.close()

    # A script that begins with nothing: so does the page, when the outcome was read.
    phone = it.page(ALICE, PHONE, lang="ja", device_scale_factor=2, has_touch=True, is_mobile=True)
    play(phone, "reset\nAlice: hello\nBot → Alice:\n  | good\n  | morning\n")
    it.reply(it.hears("message"), says("good night"))
    expect(phone.get_by_test_id("outcome")).to_have_text("失敗 · 行 3")
    expect(phone.get_by_test_id("outcome-came")).to_contain_text("good night")
    it.shot(phone, "page-script-phone")
    phone.get_by_test_id("outcome-cancel").click()
    for one in (phone, page):
        expect(one.get_by_test_id("message")).to_have_count(2)
    it.mine = ["400"]
