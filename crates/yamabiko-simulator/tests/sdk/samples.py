"""One message of every type that a bot can send, made with the classes of LINE's SDK."""

from linebot.v3.messaging import (
    AltUri, AudioMessage, ButtonsTemplate, CameraAction, CameraRollAction, CarouselColumn, CarouselTemplate,
    ClipboardAction, ClipboardImagemapAction, ConfirmTemplate, CouponMessage, DatetimePickerAction, Emoji,
    EmojiSubstitutionObject, FlexBox, FlexBoxLinearGradient, FlexBubble, FlexButton, FlexCarousel, FlexIcon,
    FlexImage, FlexMessage, FlexSeparator, FlexSpan, FlexText, FlexVideo, ImageCarouselColumn,
    ImageCarouselTemplate, ImageMessage, ImagemapArea, ImagemapBaseSize, ImagemapExternalLink, ImagemapMessage,
    ImagemapVideo, LocationAction, LocationMessage, MessageAction, MessageImagemapAction, PostbackAction,
    QuickReply, QuickReplyItem, Sender, StickerMessage, TemplateMessage, TextMessage, TextMessageV2, URIAction,
    URIImagemapAction, VideoMessage)

PICTURE = "https://example.com/picture.jpg"
MOVIE = "https://example.com/movie.mp4"
EMOJI = {"productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}

yes = MessageAction(label="Yes", text="yes")
no = PostbackAction(label="No", data="no=1", displayText="no", inputOption="closeRichMenu")
link = URIAction(label="Open", uri="https://example.com/", altUri=AltUri(desktop="https://example.com/pc"))
when = DatetimePickerAction(label="When?", data="when", mode="datetime", initial="2026-12-25T08:30",
                            min="2026-01-01T00:00", max="2027-12-31T23:59")
copy = ClipboardAction(label="Copy", clipboardText="180")
actions = [yes, no, link, when, copy, CameraAction(label="Camera"), CameraRollAction(label="Pictures"),
           LocationAction(label="Here")]


def area(x):
    return ImagemapArea(x=x, y=0, width=520, height=1040)


bubble = FlexBubble(
    size="mega",
    hero=FlexImage(url=PICTURE, size="full", aspectRatio="20:13", aspectMode="cover", action=link),
    body=FlexBox(
        layout="vertical", spacing="md", paddingAll="20px",
        background=FlexBoxLinearGradient(angle="0deg", startColor="#ffffff", endColor="#eeeeee"),
        contents=[
            FlexBox(layout="baseline", contents=[
                FlexIcon(url=PICTURE, size="sm"), FlexText(text="Timer", weight="bold", size="xl", wrap=True)]),
            FlexSeparator(margin="md", color="#cccccc"),
            FlexText(contents=[FlexSpan(text="3", color="#ff0000"), FlexSpan(text=" minutes")])]),
    footer=FlexBox(layout="horizontal", contents=[FlexButton(action=yes, style="primary", height="sm")]))
film = FlexBubble(
    size="mega",
    hero=FlexVideo(url=MOVIE, previewUrl=PICTURE, aspectRatio="20:13",
                   altContent=FlexImage(url=PICTURE, size="full", aspectRatio="20:13", aspectMode="cover")),
    body=FlexBox(layout="vertical", contents=[FlexText(text="A film")]))

SAMPLES = {
    "text with everything": TextMessage(
        text="$ hi", emojis=[Emoji(index=0, **EMOJI)], sender=Sender(name="Clock", iconUrl="https://example.com/i.png"),
        quickReply=QuickReply(items=[QuickReplyItem(action=action) for action in actions])),
    "textV2": TextMessageV2(text="Hello {smile}!", substitution={"smile": EmojiSubstitutionObject(**EMOJI)}),
    "sticker": StickerMessage(packageId="446", stickerId="1988"),
    "image": ImageMessage(originalContentUrl=PICTURE, previewImageUrl=PICTURE),
    "video": VideoMessage(originalContentUrl=MOVIE, previewImageUrl=PICTURE, trackingId="film-1"),
    "audio": AudioMessage(originalContentUrl="https://example.com/song.m4a", duration=60_000),
    "location": LocationMessage(title="Peak", address="Hakone", latitude=35.2324, longitude=139.1069),
    "imagemap": ImagemapMessage(
        baseUrl="https://example.com/map", altText="A map", baseSize=ImagemapBaseSize(width=1040, height=1040),
        video=ImagemapVideo(originalContentUrl=MOVIE, previewImageUrl=PICTURE, area=area(0),
                            externalLink=ImagemapExternalLink(linkUri="https://example.com/", label="More")),
        actions=[URIImagemapAction(linkUri="https://example.com/", area=area(0)),
                 MessageImagemapAction(text="left", area=area(520)),
                 ClipboardImagemapAction(clipboardText="180", area=area(520))]),
    "template buttons": TemplateMessage(altText="Buttons", template=ButtonsTemplate(
        thumbnailImageUrl=PICTURE, imageAspectRatio="square", imageSize="contain", imageBackgroundColor="#FFFFFF",
        title="Timer", text="Which?", defaultAction=link, actions=[yes, no, link, when])),
    "template confirm": TemplateMessage(altText="Confirm", template=ConfirmTemplate(text="Sure?", actions=[yes, no])),
    "template carousel": TemplateMessage(altText="Carousel", template=CarouselTemplate(
        imageAspectRatio="rectangle", imageSize="cover",
        columns=[CarouselColumn(thumbnailImageUrl=PICTURE, title=title, text="Which?", defaultAction=link,
                                actions=[yes, no, link]) for title in ("One", "Two")])),
    "template image_carousel": TemplateMessage(altText="Pictures", template=ImageCarouselTemplate(
        columns=[ImageCarouselColumn(imageUrl=PICTURE, action=action) for action in (yes, no, link)])),
    "flex bubble": FlexMessage(altText="A bubble", contents=bubble),
    "flex carousel": FlexMessage(altText="Bubbles", contents=FlexCarousel(contents=[bubble, bubble])),
    "flex video": FlexMessage(altText="A film", contents=film),
    "coupon": CouponMessage(couponId="01JYNW8JMQVFBNWF1APF8Z3FS7", deliveryTag="summer"),
}

# What a quote token is given for; nobody can quote an audio or a place.
QUOTABLE = [name for name in SAMPLES if name not in ("audio", "location")]
