"""The webhook parser of LINE's SDK for Python reads every event that the simulator sends, and refuses changed ones."""

from linebot.v3.exceptions import InvalidSignatureError
from linebot.v3.models.events import UnknownEvent
from linebot.v3.webhook import WebhookParser
from linebot.v3.webhooks import (
    AccountLinkEvent, AllMentionee, AudioMessageContent, BeaconEvent, EventMode, FileMessageContent, FollowEvent,
    GroupSource, ImageMessageContent, JoinEvent, JoinedMembershipContent, LeaveEvent, LeftMembershipContent,
    LocationMessageContent, MemberJoinedEvent, MemberLeftEvent, MembershipEvent, MessageEditedEvent, MessageEvent,
    PostbackEvent, RenewedMembershipContent, RoomSource, StickerMessageContent, TextMessageContent, UnfollowEvent,
    UnsendEvent, UserMentionee, UserSource, VideoMessageContent, VideoPlayCompleteEvent)

from world import ALICE, GROUP, KENTA, SAKURA, SECRET, Bot, SdkTest, chat_of, control, hears, main, push, tell

PARSER = WebhookParser(SECRET)


def changed(text, at):
    """The same text with one character changed."""
    return text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1:]


class Webhooks(SdkTest):
    def parsed(self, kind, answerable=True):
        """Hears the next event as the SDK reads it; it must be of this class, complete and genuine."""
        body, signature = hears()
        for forged in (
                (changed(body, len(body) // 2), signature), (body + " ", signature), (body, changed(signature, 0))):
            with self.assertRaises(InvalidSignatureError):
                PARSER.parse(*forged)
        payload = PARSER.parse(body, signature, as_payload=True)
        self.assertEqual(payload.destination, self.api.get_bot_info().user_id)
        [event] = payload.events
        self.assertIs(type(event), kind)
        self.assertRegex(event.webhook_event_id, r"^[0-9A-HJKMNP-TV-Z]{26}$")
        self.assertEqual(event.mode, EventMode.ACTIVE)
        self.assertLess(abs(event.timestamp - control("GET", "/status")[1]["now"]), 60_000)
        self.assertIs(event.delivery_context.is_redelivery, False)
        self.assertEqual(bool(getattr(event, "reply_token", None)), answerable)
        return event

    def message(self, kind, chat_id, message, user_id=None):
        """Lets a user send a message; returns the event, whose content must be of this class."""
        by = f"?userId={user_id}" if user_id else ""
        sent = tell(f"/chats/{chat_id}/messages{by}", message)
        event = self.parsed(MessageEvent)
        self.assertIs(type(event.message), kind)
        self.assertEqual(event.message.id, sent["messageId"])
        self.assertEqual(event.webhook_event_id, sent["webhookEventId"])
        return event

    def media(self, kind, content, query):
        _, sent = control("POST", f"/chats/{SAKURA}/media?{query}", content, "application/octet-stream")
        event = self.parsed(MessageEvent)
        self.assertIs(type(event.message), kind)
        self.assertEqual(event.message.id, sent["messageId"])
        return event.message

    def event(self, kind, chat_id, event, answerable=True):
        tell(f"/chats/{chat_id}/events", event)
        return self.parsed(kind, answerable)

    def from_user(self, event, user_id=SAKURA):
        self.assertIs(type(event.source), UserSource)
        self.assertEqual(event.source.user_id, user_id)

    def from_group(self, event, user_id):
        self.assertIs(type(event.source), GroupSource)
        self.assertEqual((event.source.group_id, event.source.user_id), (GROUP, user_id))

    def test_a_text_is_read(self):
        event = self.message(TextMessageContent, SAKURA, {"type": "text", "text": "180 🍎"})
        self.from_user(event)
        self.assertEqual(event.message.text, "180 🍎")
        self.assertTrue(event.message.quote_token)
        self.assertEqual((event.message.mention, event.message.quoted_message_id), (None, None))
        self.assertIsNone(event.message.mark_as_read_token)

    def test_a_text_with_an_emoji_of_line_is_read(self):
        emoji = {"index": 6, "length": 7, "productId": "5ac1bfd5040ab15980c9b435", "emojiId": "001"}
        event = self.message(TextMessageContent, SAKURA, {"type": "text", "text": "Hello (hello)", "emojis": [emoji]})
        [read] = event.message.emojis
        self.assertEqual(read.to_dict(), emoji)

    def test_a_text_tells_whom_it_mentions(self):
        event = self.message(TextMessageContent, GROUP, {"type": "text", "text": "🍎 @Alice @Bot @All"}, SAKURA)
        self.from_group(event, SAKURA)
        alice, bot, everybody = event.message.mention.mentionees
        self.assertEqual([type(one) for one in (alice, bot, everybody)], [UserMentionee, UserMentionee, AllMentionee])
        self.assertEqual((alice.index, alice.length, alice.user_id, alice.is_self), (3, 6, ALICE, False))
        self.assertEqual((bot.index, bot.user_id, bot.is_self), (10, self.api.get_bot_info().user_id, True))
        self.assertEqual((everybody.index, everybody.length), (15, 4))

    def test_a_text_tells_what_it_quotes(self):
        [sent] = self.api.push_message(push(SAKURA)).sent_messages
        quoting = {"type": "text", "text": "why?", "quotedMessageId": sent.id}
        self.assertEqual(self.message(TextMessageContent, SAKURA, quoting).message.quoted_message_id, sent.id)

    def test_a_message_where_chat_is_on_can_be_marked_as_read(self):
        tell("/settings", {"markAsReadMode": "manual"})
        for kind, message in (
                (TextMessageContent, {"type": "text", "text": "180"}),
                (StickerMessageContent, {"type": "sticker", "packageId": "446", "stickerId": "1988"})):
            self.assertTrue(self.message(kind, SAKURA, message).message.mark_as_read_token)

    def test_a_sticker_is_read(self):
        sticker = {"type": "sticker", "packageId": "446", "stickerId": "1988", "keywords": ["happy"]}
        message = self.message(StickerMessageContent, SAKURA, sticker).message
        self.assertEqual((message.package_id, message.sticker_id), ("446", "1988"))
        self.assertEqual((message.sticker_resource_type, message.keywords), ("STATIC", ["happy"]))
        self.assertTrue(message.quote_token)

    def test_a_location_is_read(self):
        place = {"type": "location", "title": "Peak", "address": "Hakone", "latitude": 35.2324, "longitude": 139.1069}
        message = self.message(LocationMessageContent, SAKURA, place).message
        self.assertEqual((message.title, message.address), ("Peak", "Hakone"))
        self.assertEqual((message.latitude, message.longitude), (35.2324, 139.1069))

    def test_a_picture_is_read(self):
        message = self.media(ImageMessageContent, b"jpeg", "type=image")
        self.assertEqual(message.content_provider.type, "line")
        self.assertTrue(message.quote_token)

    def test_a_picture_of_a_set_from_elsewhere_is_read(self):
        url = "https://example.com/picture.jpg"
        picture = {"type": "image", "imageSet": {"id": "E0", "index": 1, "total": 2},
                   "contentProvider": {"type": "external", "originalContentUrl": url, "previewImageUrl": url}}
        message = self.message(ImageMessageContent, SAKURA, picture).message
        self.assertEqual((message.image_set.index, message.image_set.total), (1, 2))
        self.assertEqual(message.content_provider.original_content_url, url)

    def test_a_video_is_read(self):
        message = self.media(VideoMessageContent, b"mp4", "type=video&durationMs=3000")
        self.assertEqual((message.duration, message.content_provider.type), (3000, "line"))
        self.assertTrue(message.quote_token)

    def test_an_audio_is_read(self):
        message = self.media(AudioMessageContent, b"m4a", "type=audio&durationMs=2000")
        self.assertEqual((message.duration, message.content_provider.type), (2000, "line"))

    def test_a_file_is_read(self):
        message = self.media(FileMessageContent, b"12345", "type=file&fileName=notes.txt")
        self.assertEqual((message.file_name, message.file_size), ("notes.txt", 5))

    def test_an_edited_text_is_read(self):
        first = self.message(TextMessageContent, GROUP, {"type": "text", "text": "180"}, ALICE).message
        status, _ = control("PUT", f"/chats/{GROUP}/messages/{first.id}", {"text": "240"})
        self.assertEqual(status, 200)
        event = self.parsed(MessageEditedEvent)
        self.from_group(event, ALICE)
        self.assertIs(type(event.message), TextMessageContent)
        self.assertEqual((event.message.id, event.message.text), (first.id, "240"))

    def test_an_edited_text_mentions_whom_it_means_now(self):
        first = self.message(TextMessageContent, GROUP, {"type": "text", "text": "@Bot 180"}, ALICE).message
        for text, length in (("hey @Alice", 6), ("180", None)):
            control("PUT", f"/chats/{GROUP}/messages/{first.id}", {"text": text})
            mention = self.parsed(MessageEditedEvent).message.mention
            self.assertEqual(mention and [one.length for one in mention.mentionees], length and [length])

    def test_a_text_that_is_taken_back_is_read(self):
        first = self.message(TextMessageContent, SAKURA, {"type": "text", "text": "180"}).message
        event = self.event(UnsendEvent, SAKURA, {"type": "unsend", "messageId": first.id}, answerable=False)
        self.from_user(event)
        self.assertEqual(event.unsend.message_id, first.id)

    def test_following_blocking_and_following_again_are_told_apart(self):
        first = self.event(FollowEvent, SAKURA, {"type": "follow"})
        self.from_user(first)
        self.assertIs(first.follow.is_unblocked, False)
        self.from_user(self.event(UnfollowEvent, SAKURA, {"type": "unfollow"}, answerable=False))
        self.assertIs(self.event(FollowEvent, SAKURA, {"type": "follow"}).follow.is_unblocked, True)

    def test_joining_and_leaving_a_group_are_read(self):
        self.from_group(self.event(LeaveEvent, GROUP, {"type": "leave"}, answerable=False), None)
        self.from_group(self.event(JoinEvent, GROUP, {"type": "join"}), None)

    def test_joining_a_room_is_read(self):
        room = tell("/groups", {"groupName": "Trip", "members": [SAKURA], "room": True})["roomId"]
        source = self.parsed(JoinEvent).source
        self.assertIs(type(source), RoomSource)
        self.assertEqual((source.room_id, source.user_id), (room, None))

    def test_members_come_and_go(self):
        left = self.event(MemberLeftEvent, GROUP, {"type": "memberLeft", "userIds": [KENTA]}, answerable=False)
        self.from_group(left, None)
        self.assertEqual([(member.type, member.user_id) for member in left.left.members], [("user", KENTA)])
        joined = self.event(MemberJoinedEvent, GROUP, {"type": "memberJoined", "userIds": [KENTA]})
        self.assertEqual([(member.type, member.user_id) for member in joined.joined.members], [("user", KENTA)])

    def test_a_postback_is_read(self):
        event = self.event(PostbackEvent, SAKURA, {"type": "postback", "data": "cancel=3"})
        self.from_user(event)
        self.assertEqual((event.postback.data, event.postback.params), ("cancel=3", None))

    def test_the_parameters_of_a_postback_are_read(self):
        for params in ({"datetime": "2026-12-25T01:00"}, {"date": "2026-12-25"}, {"time": "01:00"},
                       {"newRichMenuAliasId": "second", "status": "SUCCESS"}):
            event = self.event(PostbackEvent, SAKURA, {"type": "postback", "data": "when", "params": params})
            self.assertEqual(event.postback.params, params)

    def test_a_video_that_was_watched_to_its_end_is_read(self):
        event = self.event(VideoPlayCompleteEvent, SAKURA, {"type": "videoPlayComplete", "trackingId": "film-1"})
        self.assertEqual(event.video_play_complete.tracking_id, "film-1")

    def test_a_beacon_is_read(self):
        event = self.event(BeaconEvent, SAKURA, {"type": "beacon", "beacon": {"hwid": "d41d8cd98f", "type": "enter"}})
        self.assertEqual((event.beacon.hwid, event.beacon.type, event.beacon.dm), ("d41d8cd98f", "enter", None))

    def test_an_account_that_was_linked_is_read(self):
        link = {"result": "ok", "nonce": "xyz"}
        event = self.event(AccountLinkEvent, SAKURA, {"type": "accountLink", "link": link})
        self.from_user(event)
        self.assertEqual((event.link.result, event.link.nonce), ("ok", "xyz"))

    def test_an_account_that_could_not_be_linked_is_nobodys_and_not_to_be_answered(self):
        link = {"result": "failed", "nonce": "xyz"}
        event = self.event(AccountLinkEvent, SAKURA, {"type": "accountLink", "link": link}, answerable=False)
        self.assertEqual((event.link.result, event.source), ("failed", None))

    def test_a_membership_is_read(self):
        for kind, name in ((JoinedMembershipContent, "joined"), (LeftMembershipContent, "left"),
                           (RenewedMembershipContent, "renewed")):
            content = {"type": name, "membershipId": 3189}
            event = self.event(MembershipEvent, SAKURA, {"type": "membership", "membership": content})
            self.assertIs(type(event.membership), kind)
            self.assertEqual(event.membership.membership_id, 3189)

    def test_an_event_of_a_type_that_is_not_invented_yet_is_read(self):
        sent = tell(f"/chats/{SAKURA}/events", {"type": "teleport", "teleport": {"to": "moon"}})
        event = self.parsed(UnknownEvent, answerable=False)
        self.assertEqual((event.type, event.webhook_event_id), ("teleport", sent["webhookEventId"]))

    def test_a_message_of_a_type_that_is_not_invented_yet_is_read(self):
        sent = tell(f"/chats/{SAKURA}/messages", {"type": "hologram", "size": 3})
        event = self.parsed(UnknownEvent, answerable=False)  # The SDK keeps no reply token of what it does not know.
        self.assertEqual((event.type, event.webhook_event_id), ("message", sent["webhookEventId"]))

    def test_a_redelivery_says_so_and_is_the_same_otherwise(self):
        sent = tell(f"/chats/{SAKURA}/messages", {"type": "text", "text": "180"})
        [first] = PARSER.parse(*hears())
        tell(f"/webhooks/{sent['webhookEventId']}/redeliver", {"times": 1})
        [again] = PARSER.parse(*hears())
        self.assertIs(again.delivery_context.is_redelivery, True)
        again.delivery_context.is_redelivery = False
        self.assertEqual(again, first)

    def test_an_event_that_was_refused_is_sent_again(self):
        tell("/settings", {"redeliveryFirstMs": 1, "redeliveryAttempts": 1})
        Bot.status = 503
        tell(f"/chats/{SAKURA}/messages", {"type": "text", "text": "180"})
        [first] = PARSER.parse(*hears())
        [again] = PARSER.parse(*hears())
        Bot.status = 200
        self.assertEqual((first.webhook_event_id, first.reply_token), (again.webhook_event_id, again.reply_token))
        self.assertTrue(again.delivery_context.is_redelivery)

    def test_a_wrong_signature_is_refused(self):
        tell("/webhooks/raw", {"body": '{"destination":"U0","events":[]}', "signature": "wrong"})
        with self.assertRaises(InvalidSignatureError):
            PARSER.parse(*hears())
        self.assertEqual(chat_of(SAKURA), [])


main()
