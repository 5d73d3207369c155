"""LINE's SDK for Python sends every type of message by reply and by push, quotes, mentions and has all validated."""

from linebot.v3.messaging import (
    AllMentionTarget, BroadcastRequest, MentionSubstitutionObject, ReplyMessageRequest, TextMessage, TextMessageV2,
    UserMentionTarget, ValidateMessageRequest)

from samples import QUOTABLE, SAMPLES
from world import ALICE, GROUP, SAKURA, SdkTest, chat_of, main, push


class Messages(SdkTest):
    def arrives(self, send, via):
        """Sends each sample; it must stand in the chat as the SDK has sent it."""
        for name, message in SAMPLES.items():
            with self.subTest(name):
                before = len(chat_of(SAKURA))
                [sent] = send(message).sent_messages
                shown = [one for one in chat_of(SAKURA, before) if one["from"] == "bot"]
                self.assertEqual([one["id"] for one in shown], [sent.id])
                self.assertEqual(shown[0]["via"], via)
                self.assertEqual(shown[0]["message"], message.to_dict())
                self.assertEqual(sent.quote_token is not None, name in QUOTABLE)

    def test_every_type_of_message_is_pushed(self):
        self.arrives(lambda message: self.api.push_message(push(SAKURA, message)), "push")

    def test_every_type_of_message_is_replied(self):
        def reply(message):
            request = ReplyMessageRequest(replyToken=self.reply_token(), messages=[message])
            return self.api.reply_message(request)
        self.arrives(reply, "reply")

    def test_five_messages_go_in_one_call_and_keep_their_order(self):
        texts = [TextMessage(text=str(n)) for n in range(5)]
        answer = self.api.push_message(push(SAKURA, *texts))
        shown = chat_of(SAKURA)
        self.assertEqual([one["text"] for one in shown], list("01234"))
        self.assertEqual([one["id"] for one in shown], [sent.id for sent in answer.sent_messages])

    def test_a_reply_quotes_a_message_of_the_user_and_of_the_bot(self):
        event = self.says(SAKURA, {"type": "text", "text": "180"})
        quoting = TextMessage(text="yes", quoteToken=event["message"]["quoteToken"])
        answer = self.api.reply_message(ReplyMessageRequest(replyToken=event["replyToken"], messages=[quoting]))
        own = TextMessageV2(text="again", quoteToken=answer.sent_messages[0].quote_token)
        self.api.push_message(push(SAKURA, own))
        _, first, second = chat_of(SAKURA)
        self.assertEqual(first["quotedMessageId"], event["message"]["id"])
        self.assertEqual(second["quotedMessageId"], answer.sent_messages[0].id)

    def test_a_message_to_a_group_mentions_one_and_all(self):
        who = MentionSubstitutionObject(mentionee=UserMentionTarget(userId=ALICE))
        everybody = MentionSubstitutionObject(mentionee=AllMentionTarget())
        message = TextMessageV2(text="{who}, {all}: lunch", substitution={"who": who, "all": everybody})
        self.api.push_message(push(GROUP, message))
        self.assertEqual(chat_of(GROUP)[0]["message"], message.to_dict())

    def test_every_type_of_message_is_valid_for_every_way_of_sending(self):
        ways = [self.api.validate_reply, self.api.validate_push, self.api.validate_multicast,
                self.api.validate_narrowcast, self.api.validate_broadcast]
        for way in ways:
            for name, message in SAMPLES.items():
                with self.subTest(name, way=way.__name__):
                    way(ValidateMessageRequest(messages=[message]))
        self.assertEqual(chat_of(SAKURA), [])

    def test_a_call_names_itself_in_the_answer_and_in_the_chat(self):
        answer = self.api.broadcast_with_http_info(BroadcastRequest(messages=[TextMessage(text="hi")]))
        self.assertEqual(answer.status_code, 200)
        self.assertEqual(chat_of(ALICE)[0]["requestId"], answer.headers["x-line-request-id"])


main()
