"""Groups: who speaks, who is in them, whether the bot is."""
import re

from world import ALICE, GROUP, KENTA, PHONE, SAKURA, expect, world

with world() as it:
    page = it.page(GROUP, speaker=ALICE)
    get = page.get_by_test_id
    composer = get("composer")
    last = get("message").last

    def say(text):
        composer.fill(text)
        composer.press("Enter")
        return it.hears("message")

    event = say("who comes along?")
    assert event["source"] == {"type": "group", "groupId": GROUP, "userId": ALICE}

    # Another member speaks: what was said by others stands at the left, with their names.
    get("speaker").select_option(SAKURA)
    expect(page.locator("body")).to_have_attribute("data-me", SAKURA)
    it.is_live(page)
    assert say("I do")["source"]["userId"] == SAKURA
    expect(get("message").first.get_by_test_id("sender")).to_have_text("Alice")
    expect(get("message").first).to_have_class(re.compile("theirs"))
    expect(last).to_have_class(re.compile("mine"))
    expect(last.get_by_test_id("read")).to_be_visible()

    # Mentions: an @ offers the bot, the others and everybody.
    composer.press_sequentially("@")
    expect(get("mention-bot")).to_be_visible()
    expect(get("mention-all")).to_be_visible()
    expect(get(f"mention-{SAKURA}")).to_have_count(0)
    composer.press_sequentially("Al")
    expect(get("mention-bot")).to_be_hidden()
    get(f"mention-{ALICE}").click()
    composer.press_sequentially("@Ya")
    composer.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(composer).to_have_value("@Alice @Yama ")
    composer.press("End")
    composer.press_sequentially("at nine?")
    composer.press("Enter")
    event = it.hears("message")
    alice, bot = event["message"]["mention"]["mentionees"]
    assert alice["userId"] == ALICE and bot["isSelf"], event
    expect(last.get_by_test_id("mention").first).to_have_text("@Alice")

    # Editing.
    last.hover()
    last.get_by_test_id("message-edit").click()
    expect(composer).to_have_value("@Alice @Yama at nine?")
    composer.fill("at ten?")
    composer.press("Enter")
    edited = it.hears("messageEdited")
    assert edited["message"]["id"] == event["message"]["id"] and edited["message"]["text"] == "at ten?"
    expect(last.get_by_test_id("edited")).to_be_visible()

    # The bot answers with a mention and an emoji.
    it.reply(edited, {
        "type": "textV2", "text": "{who}, ten is fine {smile} {{ok}}",
        "substitution": {
            "who": {"type": "mention", "mentionee": {"type": "user", "userId": SAKURA}},
            "smile": {"type": "emoji", "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}}})
    expect(last.get_by_test_id("text")).to_have_text("@さくら, ten is fine ☺ {ok}")
    expect(last.get_by_test_id("emoji")).to_have_attribute("title", "5ac1bfd5040ab15980c9b435/001")

    # A tap of a member is that member's.
    button = {"type": "postback", "label": "Come", "data": "come", "displayText": "I come"}
    it.push({"type": "text", "text": "Who comes?", "quickReply": {"items": [{"type": "action", "action": button}]}},
            to=GROUP)
    get("quick-reply").click()
    event = it.hears("postback")
    assert event["source"]["userId"] == SAKURA and event["postback"]["data"] == "come"
    expect(last).to_contain_text("I come")
    assert it.messages(GROUP)[-1]["userId"] == SAKURA

    # Two tabs are two members.
    kenta = it.page(GROUP, speaker=KENTA)
    kenta.get_by_test_id("composer").fill("me too")
    kenta.get_by_test_id("composer").press("Enter")
    assert it.hears("message")["source"]["userId"] == KENTA
    expect(last.get_by_test_id("sender")).to_have_text("健太")
    it.shot(page, "page-group")

    # Members go and come.
    get("members-open").click()
    get(f"member-remove-{KENTA}").click()
    assert it.hears("memberLeft")["left"]["members"][0]["userId"] == KENTA
    expect(get(f"member-{KENTA}")).to_have_count(0)
    get("member-choice").select_option(KENTA)
    it.shot(page, "page-members")
    get("member-add").click()
    assert it.hears("memberJoined")["joined"]["members"][0]["userId"] == KENTA
    expect(get(f"member-{KENTA}")).to_be_visible()
    get("members-cancel").click()
    expect(get("dialog-members")).to_be_hidden()

    # When the one who speaks goes, another speaks.
    it.call("POST", f"/control/chats/{GROUP}/events", {"type": "memberLeft", "userIds": [SAKURA]})
    it.hears("memberLeft")
    expect(page.locator("body")).to_have_attribute("data-me", ALICE)
    it.call("POST", f"/control/chats/{GROUP}/events", {"type": "memberJoined", "userIds": [SAKURA]})
    it.hears("memberJoined")
    it.open(page, GROUP, SAKURA)

    # The bot goes and comes.
    get("bot-remove").click()
    it.hears("leave")
    get("bot-invite").click()
    assert it.hears("join")["source"] == {"type": "group", "groupId": GROUP}
    expect(get("bot-remove")).to_be_visible()

    # A new group, and a new room.
    get("new-group").click()
    get("group-name").fill("Picnic")
    get(f"group-member-{ALICE}").check()
    get(f"group-member-{SAKURA}").check()
    get("group-ok").click()
    it.hears("join")
    expect(page.locator("a.person.current")).to_contain_text("Picnic")
    it.is_live(page)
    assert page.locator("body").get_attribute("data-me") == SAKURA, "one goes on as the same user"
    get("new-group").click()
    get("group-cancel").click()
    get("new-group").click()
    get("group-name").fill("Quiet room")
    get(f"group-member-{KENTA}").check()
    get("group-room").check()
    get("group-join").uncheck()
    get("group-ok").click()
    expect(page.locator("a.person.current")).to_contain_text("Quiet room")
    expect(get("bot-invite")).to_be_visible()
    room = next(one for one in it.call("GET", "/control/groups")["groups"] if "roomId" in one)
    assert room["members"] == [KENTA] and not room["joined"]

    phone = it.page(GROUP, PHONE, SAKURA, lang="ja", device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("composer").press_sequentially("@")
    expect(phone.get_by_test_id("mention-bot")).to_be_visible()
    it.shot(phone, "page-group-phone")
