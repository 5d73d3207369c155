"""What a user says and does, each asked of the bot."""
import io
import re
import wave

from world import ALICE, PHONE, expect, picture, world

with world() as it:
    page = it.page()
    get = page.get_by_test_id
    composer = get("composer")
    last = get("message").last

    def attach(what):
        get("attach-open").click()
        return get(f"attach-{what}")

    # A text, by Enter and by the button; several lines; an address becomes a link.
    composer.fill("hello")
    composer.press("Enter")
    assert it.hears("message")["message"]["text"] == "hello"
    expect(last.get_by_test_id("read")).to_have_text("Read")
    composer.fill("one")
    composer.press("Shift+Enter")
    composer.press_sequentially("two https://yama.example/ <b>bold</b>")
    get("send").click()
    event = it.hears("message")
    assert event["message"]["text"] == "one\ntwo https://yama.example/ <b>bold</b>"
    expect(last.get_by_test_id("text")).to_contain_text("<b>bold</b>")
    expect(last.locator("a.address")).to_have_attribute("href", "https://yama.example/")
    expect(composer).to_have_value("")

    # A sticker.
    get("sticker-open").click()
    expect(get("sticker-open")).to_have_attribute("aria-expanded", "true")
    get("sticker-446-1993").click()
    message = it.hears("message")["message"]
    assert (message["type"], message["packageId"], message["stickerId"]) == ("sticker", "446", "1993")
    expect(last.get_by_test_id("sticker")).to_be_visible()

    # A quote, taken back, then made; the quote leads to what is quoted.
    first = get("message").first
    first.hover()
    first.get_by_test_id("message-quote").click()
    get("unquote").click()
    expect(get("unquote")).to_be_hidden()
    first.hover()
    first.get_by_test_id("message-quote").click()
    composer.fill("about that")
    composer.press("Enter")
    event = it.hears("message")
    assert event["message"]["quotedMessageId"] == it.messages()[0]["id"]
    expect(last.get_by_test_id("quote")).to_contain_text("Alice")
    last.get_by_test_id("quote").click()
    expect(page).to_have_url(re.compile("#m-"))

    # Taking back.
    last.hover()
    last.get_by_test_id("message-unsend").click()
    assert it.hears("unsend")["unsend"]["messageId"] == event["message"]["id"]
    expect(last).to_contain_text("unsent")
    assert it.messages()[-1]["unsent"]

    # A picture by the gallery, with a quote; one by the camera.
    canvas = it.browser.new_page(viewport={"width": 480, "height": 320})
    canvas.set_content(f"<body style='margin:0'>{picture('dawn', 480, 320)}")
    photo = canvas.screenshot()
    canvas.close()
    png = {"name": "dawn.png", "mimeType": "image/png", "buffer": photo}
    first.hover()
    first.get_by_test_id("message-quote").click()
    attach("image").set_input_files(png)
    event = it.hears("message")
    assert event["message"]["type"] == "image" and event["message"]["quotedMessageId"]
    assert it.content(event) == photo
    shown = last.get_by_test_id("picture").locator("img")
    expect(shown).to_have_js_property("naturalWidth", 480)
    attach("camera").set_input_files(png)
    assert it.hears("message")["message"]["type"] == "image"
    expect(get("attach-camera")).to_have_attribute("capture", "environment")

    # A video of a length that nobody can tell, an audio of two seconds, a file.
    attach("video").set_input_files({"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"no film"})
    event = it.hears("message")
    assert event["message"]["type"] == "video" and it.content(event) == b"no film"
    expect(last.get_by_test_id("video")).to_have_attribute("src", f"/media/{event['message']['id']}")
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes([128]) * 16000)
    attach("audio").set_input_files({"name": "two.wav", "mimeType": "audio/wav", "buffer": sound.getvalue()})
    event = it.hears("message")
    assert (event["message"]["type"], event["message"]["duration"]) == ("audio", 2000), event
    expect(last.get_by_test_id("audio")).to_be_visible()
    page_of = {"name": "<plan>.html", "mimeType": "text/html", "buffer": b"<script>alert(1)</script>"}
    attach("file").set_input_files(page_of)
    event = it.hears("message")
    assert (event["message"]["fileName"], event["message"]["fileSize"]) == ("<plan>.html", 25)
    expect(last.get_by_test_id("file")).to_contain_text("<plan>.html")
    served = page.request.get(f"{it.address}/media/{event['message']['id']}")
    assert served.headers["content-type"] == "application/octet-stream", "nothing of it may run"
    assert served.headers["x-content-type-options"] == "nosniff"
    assert page.request.get(f"{it.address}/media/1").status == 404

    # A place.
    attach("location").click()
    get("location-cancel").click()
    attach("location").click()
    get("location-title").fill("Mt. Fuji")
    get("location-address").fill("Fujinomiya")
    get("location-latitude").fill("35.3606")
    get("location-longitude").fill("138.7274")
    get("location-ok").click()
    message = it.hears("message")["message"]
    assert message["latitude"] == 35.3606 and message["longitude"] == 138.7274
    assert (message["title"], message["address"]) == ("Mt. Fuji", "Fujinomiya")
    expect(last.get_by_test_id("location")).to_contain_text("Mt. Fuji")
    expect(get("dialog-location")).to_be_hidden()

    # A beacon.
    attach("beacon").click()
    get("beacon-hwid").fill("0123456789")
    get("beacon-type").select_option("stay")
    get("beacon-dm").fill("ab01")
    get("beacon-ok").click()
    assert it.hears("beacon")["beacon"] == {"hwid": "0123456789", "type": "stay", "dm": "ab01"}

    # Any event as JSON; what is no JSON is not sent.
    attach("event").click()
    get("event-json").fill("{")
    get("event-ok").click()
    expect(get("dialog-event")).to_be_visible()
    get("event-json").fill('{"type": "accountLink", "link": {"result": "ok", "nonce": "n1"}}')
    get("event-ok").click()
    event = it.hears("accountLink")
    assert event["link"]["nonce"] == "n1" and event["source"]["userId"] == ALICE

    # Blocking the bot and ending that.
    get("friendship").click()
    assert "replyToken" not in it.hears("unfollow")
    expect(page.get_by_text("The bot is blocked")).to_be_visible()
    get("friendship").click()
    assert it.hears("follow")["follow"] == {"isUnblocked": True}
    expect(get("friendship")).to_have_text("Block")

    # Another channel takes the chat over, and gives it back.
    get("standby").click()
    expect(get("standby-note")).to_be_visible()
    composer.fill("in standby")
    composer.press("Enter")
    assert "replyToken" not in it.hears("message")
    get("standby").click()
    expect(get("standby")).to_have_attribute("aria-pressed", "false")

    # The loading animation comes, and goes with the bot's next message.
    it.line("POST", "/v2/bot/chat/loading/start", {"chatId": ALICE, "loadingSeconds": 60})
    expect(get("loading")).to_be_visible()
    expect(get("loading")).to_contain_text("is typing")
    it.shot(page, "page-user")
    it.push({"type": "text", "text": "here I am"})
    expect(get("loading")).to_be_hidden()

    # A new user is a new chat, here and in another tab.
    other = it.page()
    get("new-user").click()
    get("user-name").fill("Mia")
    get("user-language").select_option("en")
    get("user-ok").click()
    expect(page.locator("a.person.current")).to_contain_text("Mia")
    it.is_live(page)
    mia = page.locator("body").get_attribute("data-chat")
    expect(other.get_by_test_id(f"user-{mia}")).to_be_visible()
    assert it.line("GET", f"/v2/bot/profile/{mia}")["language"] == "en"

    # Two tabs are two users.
    composer.fill("I am Mia")
    composer.press("Enter")
    other.get_by_test_id("composer").fill("I am Alice")
    other.get_by_test_id("composer").press("Enter")
    said = [it.hears("message") for _ in range(2)]
    assert {event["source"]["userId"]: event["message"]["text"] for event in said} == \
        {mia: "I am Mia", ALICE: "I am Alice"}
    expect(other.get_by_test_id(f"user-{mia}")).to_contain_text("I am Mia")

    # The same on a phone.
    phone = it.page(size=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("attach-open").click()
    expect(phone.get_by_test_id("attach-location")).to_be_visible()
    it.shot(phone, "page-user-phone")
