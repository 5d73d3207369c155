"""What a bot says: shown, and tapped; each tap asked of the bot."""
from world import ALICE, PHONE, PICTURES, expect, world

with world() as it:
    page = it.page()
    get = page.get_by_test_id
    last = get("message").last
    image = PICTURES

    def item(action, **more):
        return {"type": "action", "action": action, **more}

    # Quick replies of every type.
    it.push({"type": "text", "text": "What next?", "quickReply": {"items": [
        item({"type": "message", "label": "Say", "text": "yes"}, imageUrl=f"{image}/dawn.svg"),
        item({"type": "postback", "label": "Post", "data": "a=1", "displayText": "posted"}),
        item({"type": "postback", "label": "Fill", "data": "a=2", "inputOption": "openKeyboard", "fillInText": "my "}),
        item({"type": "uri", "label": "Visit", "uri": f"{image}/noon.svg"}),
        item({"type": "clipboard", "label": "Copy", "clipboardText": "3b48abf"}),
        item({"type": "datetimepicker", "label": "Date", "data": "d", "mode": "date", "initial": "2026-07-01",
              "min": "2026-06-01", "max": "2026-07-31"}),
        item({"type": "datetimepicker", "label": "Time", "data": "t", "mode": "time", "initial": "09:30"}),
        item({"type": "datetimepicker", "label": "Both", "data": "b", "mode": "datetime",
              "initial": "2026-07-01t09:30"}),
        item({"type": "camera", "label": "Camera"}),
        item({"type": "cameraRoll", "label": "Photos"}),
        item({"type": "location", "label": "Place"})]}})

    def quick(label):
        return get("quick-reply").filter(has_text=label)

    expect(get("quick-reply")).to_have_count(11)
    it.shot(page, "page-quick")
    quick("Fill").click()
    assert it.hears("postback")["postback"] == {"data": "a=2"}
    expect(get("composer")).to_have_value("my ")
    get("composer").fill("")
    with page.context.expect_page() as opened:
        quick("Visit").click()
    assert opened.value.url == f"{image}/noon.svg"
    opened.value.close()
    quick("Copy").click()
    expect(page.get_by_role("alert")).to_contain_text("3b48abf")
    assert page.evaluate("navigator.clipboard.readText()") == "3b48abf"
    with page.expect_file_chooser():
        quick("Camera").click()
    with page.expect_file_chooser():
        quick("Photos").click()
    quick("Place").click()
    expect(get("dialog-location")).to_be_visible()
    get("location-cancel").click()

    # The date-time picker; what is out of its bounds is not sent.
    quick("Date").click()
    expect(get("picker-when")).to_have_value("2026-07-01")
    expect(get("picker-when")).to_have_attribute("min", "2026-06-01")
    get("picker-when").fill("2026-08-01")
    get("picker-ok").click()
    expect(get("dialog-picker")).to_be_visible()
    get("picker-when").fill("2026-07-15")
    it.shot(page, "page-picker")
    get("picker-ok").click()
    assert it.hears("postback")["postback"] == {"data": "d", "params": {"date": "2026-07-15"}}
    expect(get("dialog-picker")).to_be_hidden()
    quick("Time").click()
    get("picker-cancel").click()
    quick("Time").click()
    get("picker-ok").click()
    assert it.hears("postback")["postback"] == {"data": "t", "params": {"time": "09:30"}}
    quick("Both").click()
    expect(get("picker-when")).to_have_value("2026-07-01T09:30")
    get("picker-when").fill("2026-07-02T10:45")
    get("picker-ok").click()
    assert it.hears("postback")["postback"] == {"data": "b", "params": {"datetime": "2026-07-02T10:45"}}
    quick("Post").click()
    assert it.hears("postback")["postback"] == {"data": "a=1"}
    expect(last).to_contain_text("posted")
    expect(get("quick-reply")).to_have_count(0)
    it.push({"type": "text", "text": "Again?", "quickReply": {"items": [
        item({"type": "message", "label": "Say", "text": "yes"})]}})
    quick("Say").click()
    assert it.hears("message")["message"]["text"] == "yes"

    # Another name and icon; a quote; markup of a bot is text.
    token = it.push({"type": "text", "text": "<img src=x onerror=alert(1)>",
                     "sender": {"name": "Weather", "iconUrl": f"{image}/dusk.svg"}})["sentMessages"][0]["quoteToken"]
    expect(last.get_by_test_id("sender")).to_have_text("Weather")
    expect(last.get_by_test_id("sender-icon")).to_have_attribute("src", f"{image}/dusk.svg")
    expect(last.get_by_test_id("text")).to_have_text("<img src=x onerror=alert(1)>")
    it.push({"type": "text", "text": "see above", "quoteToken": token})
    expect(last.get_by_test_id("quote")).to_contain_text("Weather")
    product = "5ac1bfd5040ab15980c9b435"
    it.push({"type": "text", "text": "$ fine", "emojis": [{"index": 0, "productId": product, "emojiId": "002"}]})
    expect(last.get_by_test_id("emoji")).to_have_attribute("title", f"{product}/002")

    # Pictures, films, sounds, places, stickers, imagemaps.
    it.push({"type": "sticker", "packageId": "446", "stickerId": "1990"})
    expect(last.get_by_test_id("sticker")).to_have_attribute("data-sticker-id", "1990")
    it.push({"type": "image", "originalContentUrl": f"{image}/dawn.svg", "previewImageUrl": f"{image}/dawn-small.svg"})
    expect(last.get_by_test_id("picture").locator("img")).to_have_js_property("naturalWidth", 600)

    # One that the bot on this machine serves itself, opened by a click.
    own = f"{it.bot}/media/noon.svg"
    it.push({"type": "image", "originalContentUrl": own, "previewImageUrl": own})
    shown = last.get_by_test_id("picture").locator("img")
    expect(shown).to_have_attribute("src", own)
    expect(shown).to_have_js_property("naturalWidth", 600)
    with page.context.expect_page() as opened:
        last.get_by_test_id("picture").click()
    expect(opened.value).to_have_url(own)
    opened.value.close()

    it.push({"type": "audio", "originalContentUrl": f"{image}/a.m4a", "duration": 1000})
    expect(last.get_by_test_id("audio")).to_have_attribute("src", f"{image}/a.m4a")
    it.push({"type": "location", "title": "Hut", "address": "1-2", "latitude": 35.5, "longitude": 139.25})
    expect(last.get_by_test_id("location")).to_contain_text("35.5, 139.25")
    it.push({"type": "video", "originalContentUrl": f"{image}/v.mp4", "previewImageUrl": f"{image}/dusk.svg",
             "trackingId": "film-1"})
    get("video-complete").click()
    assert it.hears("videoPlayComplete")["videoPlayComplete"] == {"trackingId": "film-1"}
    get("video").dispatch_event("ended")
    assert it.hears("videoPlayComplete")["videoPlayComplete"] == {"trackingId": "film-1"}
    it.push({"type": "imagemap", "altText": "map", "baseUrl": f"{image}/map-dawn",
             "baseSize": {"width": 1040, "height": 700}, "actions": [
                 {"type": "message", "text": "left", "area": {"x": 0, "y": 0, "width": 520, "height": 700}},
                 {"type": "uri", "linkUri": f"{image}/dusk.svg",
                  "area": {"x": 520, "y": 0, "width": 520, "height": 700}}]})
    expect(last.get_by_test_id("imagemap").locator("img")).to_have_attribute("src", f"{image}/map-dawn/1040")
    areas = last.get_by_test_id("imagemap-area")
    box, half = last.get_by_test_id("imagemap").bounding_box(), areas.nth(1).bounding_box()
    assert abs(half["x"] - box["x"] - box["width"] / 2) < 1.5 and abs(half["width"] - box["width"] / 2) < 1.5
    with page.context.expect_page() as opened:
        areas.nth(1).click()
    assert opened.value.url == f"{image}/dusk.svg"
    opened.value.close()

    def tapped(action, text):
        action.click()
        assert it.hears("message")["message"]["text"] == text
        # Only then does the page stand still for the next tap.
        expect(last).to_contain_text(text)

    tapped(areas.nth(0), "left")

    # Templates.
    def say(label):
        return {"type": "message", "label": label, "text": f"said {label}"}

    it.push({"type": "template", "altText": "buttons", "template": {
        "type": "buttons", "thumbnailImageUrl": f"{image}/noon.svg", "imageBackgroundColor": "#FFFFFF",
        "title": "Mt. Takao", "text": "599 m, an hour up", "defaultAction": say("whole"),
        "actions": [say("Go"), {"type": "datetimepicker", "label": "Another day", "data": "x", "mode": "date"}]}})
    card = last.get_by_test_id("template")
    tapped(card.get_by_test_id("template-action").filter(has_text="Go"), "said Go")
    card = get("template").last
    card.get_by_test_id("template-action").filter(has_text="Another day").click()
    expect(get("dialog-picker")).to_contain_text("Another day")
    get("picker-cancel").click()
    tapped(card.get_by_test_id("action"), "said whole")
    it.push({"type": "template", "altText": "confirm", "template": {
        "type": "confirm", "text": "Really?", "actions": [say("Yes"), say("No")]}})
    tapped(last.get_by_test_id("template-action").filter(has_text="No"), "said No")
    it.push({"type": "template", "altText": "carousel", "template": {"type": "carousel", "columns": [
        {"thumbnailImageUrl": f"{image}/{sky}.svg", "title": sky, "text": "by the lake", "actions": [say(sky)]}
        for sky in ("dawn", "noon", "dusk")]}})
    tapped(last.get_by_test_id("template-action").filter(has_text="dawn"), "said dawn")
    it.push({"type": "template", "altText": "pictures", "template": {"type": "image_carousel", "columns": [
        {"imageUrl": f"{image}/{sky}.svg", "action": say(f"at {sky}")} for sky in ("dawn", "dusk")]}})
    expect(last.get_by_test_id("template-action")).to_have_count(2)
    it.shot(page, "page-templates")
    tapped(last.get_by_test_id("template-action").first, "said at dawn")

    # Flex messages.
    def text(words, **more):
        return {"type": "text", "text": words, **more}

    def row(name, value):
        return {"type": "box", "layout": "baseline", "spacing": "sm", "contents": [
            text(name, color="#aaaaaa", size="sm", flex=1), text(value, color="#666666", size="sm", flex=5, wrap=True)]}

    bubble = {
        "type": "bubble",
        "header": {"type": "box", "layout": "horizontal", "backgroundColor": "#27406b", "paddingAll": "12px",
                   "contents": [text("ROUTE", color="#ffffff", weight="bold", size="sm", flex=0),
                                {"type": "filler"}, text("3 h 20 min", color="#ffffffcc", size="sm", align="end", flex=0)]},
        "hero": {"type": "image", "url": f"{image}/dusk.svg", "size": "full", "aspectRatio": "20:13",
                 "aspectMode": "cover", "action": say("picture")},
        "body": {"type": "box", "layout": "vertical", "contents": [
            text("Mt. Yamabiko", weight="bold", size="xl"),
            {"type": "box", "layout": "baseline", "margin": "md", "contents": [
                *[{"type": "icon", "size": "sm", "url": f"{image}/dawn.svg"} for _ in range(4)],
                text("4.0", size="sm", color="#999999", margin="md", flex=0)]},
            {"type": "box", "layout": "vertical", "margin": "lg", "spacing": "sm", "contents": [
                row("Start", "North trailhead, behind the old temple"), row("Bus", "every 20 minutes from 6:40")]},
            {"type": "separator", "margin": "lg"},
            {"type": "text", "margin": "lg", "wrap": True, "contents": [
                {"type": "span", "text": "Warning: "}, {"type": "span", "text": "bears", "color": "#cf2f3c", "weight": "bold"},
                {"type": "span", "text": " were seen", "style": "italic", "decoration": "underline"}]},
            text("a long text that goes on and on, over more lines than it is given here", wrap=True, maxLines=2,
                 size="sm", margin="md"),
            {"type": "box", "layout": "horizontal", "margin": "lg", "spacing": "md", "contents": [
                {"type": "box", "layout": "vertical", "backgroundColor": "#eef3fa", "cornerRadius": "md", "paddingAll": "10px",
                 "action": say("box"), "contents": [text("tap me", align="center", size="sm", color="#27406b")]},
                {"type": "box", "layout": "vertical", "cornerRadius": "md", "paddingAll": "10px",
                 "background": {"type": "linearGradient", "angle": "90deg", "startColor": "#6fc3a0", "endColor": "#3c8fc0"},
                 "contents": [text("gradient", align="center", size="sm", color="#ffffff")]}]}]},
        "footer": {"type": "box", "layout": "vertical", "spacing": "sm", "contents": [
            {"type": "button", "style": "primary", "height": "sm", "action": say("Primary")},
            {"type": "button", "style": "secondary", "height": "sm", "action": say("Secondary")},
            {"type": "button", "style": "link", "height": "sm", "action": {"type": "uri", "label": "Link", "uri": f"{image}/x"}}]},
        "styles": {"footer": {"separator": True}}}
    it.push({"type": "flex", "altText": "a mountain", "contents": bubble})
    flex = last.get_by_test_id("flex")
    heading = flex.get_by_text("Mt. Yamabiko")
    expect(heading).to_have_css("font-size", "22px")
    expect(heading).to_have_css("font-weight", "700")
    expect(flex.get_by_text("ROUTE")).to_have_css("color", "rgb(255, 255, 255)")
    expect(flex.locator(".fx-header > .fx-box")).to_have_css("background-color", "rgb(39, 64, 107)")
    expect(flex.get_by_text("a long text")).to_have_css("-webkit-line-clamp", "2")
    hero = flex.locator(".fx-hero img").bounding_box()
    assert abs(hero["width"] / hero["height"] - 20 / 13) < 0.01 and abs(hero["width"] - 300) < 1, hero
    name, value = flex.get_by_text("Start").bounding_box(), flex.get_by_text("North trailhead").bounding_box()
    assert abs(value["width"] / name["width"] - 5) < 0.05, "room is shared one to five"
    it.shot(page, "page-flex")
    page.evaluate("document.querySelector('.scroll').scrollTo(0, 1e6)")
    tapped(flex.get_by_test_id("flex-button").filter(has_text="Primary"), "said Primary")
    flex = get("flex").last
    tapped(flex.get_by_test_id("flex-button").filter(has_text="Secondary"), "said Secondary")
    tapped(flex.get_by_test_id("action").filter(has_text="tap me"), "said box")
    flex.get_by_test_id("action").first.focus()
    page.keyboard.press("Enter")
    assert it.hears("message")["message"]["text"] == "said picture"
    small = {"type": "bubble", "size": "micro", "hero": {
        "type": "image", "url": f"{image}/noon.svg", "size": "full", "aspectMode": "cover", "aspectRatio": "320:213"},
        "body": {"type": "box", "layout": "vertical", "spacing": "sm", "paddingAll": "13px", "contents": [
            text("Moss Hut", weight="bold", size="sm", wrap=True), text("★★★★☆", size="xs", color="#e0a52c")]}}
    it.push({"type": "flex", "altText": "huts", "contents": {"type": "carousel", "contents": [small] * 6}})
    expect(last.locator(".fx")).to_have_count(6)
    it.push({"type": "coupon", "couponId": "01JYNW8JMQVFBNWF1APF8Z3FS7"})
    expect(last.get_by_test_id("json")).to_contain_text("01JYNW8JMQVFBNWF1APF8Z3FS7")
    it.shot(page, "page-flex-carousel")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280

    phone = it.page(ALICE, PHONE, device_scale_factor=2, has_touch=True, is_mobile=True)
    phone.get_by_test_id("flex").first.scroll_into_view_if_needed()
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    it.shot(phone, "page-flex-phone")
    it.mine = ["Failed to load resource"]
