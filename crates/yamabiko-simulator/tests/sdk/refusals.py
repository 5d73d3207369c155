"""LINE's SDK for Python tells refusals apart: by status, by LINE's sentence, by details."""

from linebot.v3.messaging import (
    ApiClient, BroadcastRequest, Configuration, MessagingApi, MulticastRequest, PushMessageRequest,
    ReplyMessageRequest, TextMessage, ValidateMessageRequest)
from linebot.v3.messaging.exceptions import UnauthorizedException

from world import (
    ALICE, SAKURA, SIMULATOR, SdkTest, chat_of, main, push, tell, text)

TOO_LONG = TextMessage(text="a" * 5_001)


class Refusals(SdkTest):
    def test_a_wrong_token_is_unauthorized(self):
        with ApiClient(Configuration(host=SIMULATOR, access_token="wrong")) as client:
            api = MessagingApi(client)
            for call in (api.get_bot_info, lambda: api.push_message(push(SAKURA))):
                error, said = self.refused(401, call)
                self.assertIsInstance(error, UnauthorizedException)
                self.assertIn("Authentication failed", said.message)

    def test_details_name_what_is_wrong_and_where(self):
        calls = [
            lambda messages: self.api.push_message(push(SAKURA, *messages)),
            lambda messages: self.api.multicast(MulticastRequest(to=[SAKURA], messages=messages)),
            lambda messages: self.api.broadcast(BroadcastRequest(messages=messages)),
            lambda messages: self.api.validate_push(ValidateMessageRequest(messages=messages)),
            lambda messages: self.api.reply_message(
                ReplyMessageRequest(replyToken=self.reply_token(), messages=messages)),
        ]
        for at, call in enumerate(calls):
            with self.subTest(at):
                _, said = self.refused(400, call, [TOO_LONG, text(""), text()])
                self.assertEqual(said.message, "The request body has 2 error(s)")
                places = [detail.var_property for detail in said.details]
                self.assertEqual(places, ["messages[0].text", "messages[1].text"])
                self.assertTrue(all(detail.message for detail in said.details))
        self.assertEqual([one for one in chat_of(SAKURA) if one["from"] == "bot"], [])

    def test_a_reply_token_works_once(self):
        request = ReplyMessageRequest(replyToken=self.reply_token(), messages=[text()])
        self.api.reply_message(request)
        _, said = self.refused(400, self.api.reply_message, request)
        self.assertEqual(said.message, "Invalid reply token")
        unknown = ReplyMessageRequest(replyToken="0" * 32, messages=[text()])
        self.assertEqual(self.refused(400, self.api.reply_message, unknown)[1].message, "Invalid reply token")

    def test_a_recipient_must_be_an_id(self):
        for to in ("alice", "U123", SAKURA.upper()[:-1]):
            _, said = self.refused(400, self.api.push_message, PushMessageRequest(to=to, messages=[text()]))
            self.assertIn("'to'", said.message)

    def test_a_quote_token_of_another_chat_is_refused(self):
        token = self.says(ALICE, {"type": "text", "text": "180"})["message"]["quoteToken"]
        quoting = TextMessage(text="hi", quoteToken=token)
        self.refused(400, self.api.push_message, push(SAKURA, quoting))

    def test_the_monthly_limit_ends_pushes_and_not_replies(self):
        tell("/settings", {"monthlyLimit": 2})
        self.api.push_message(push(SAKURA))
        too_much = BroadcastRequest(messages=[text()])
        _, said = self.refused(429, self.api.broadcast, too_much)
        self.assertEqual(said.message, "You have reached your monthly limit.")
        self.api.push_message(push(SAKURA))
        _, said = self.refused(429, self.api.push_message, push(SAKURA))
        self.assertEqual(said.message, "You have reached your monthly limit.")
        self.api.reply_message(ReplyMessageRequest(replyToken=self.reply_token(), messages=[text()]))
        self.assertEqual(self.api.get_message_quota_consumption().total_usage, 2)

    def limited(self, limit):
        """Meets a limit once: the call is refused, the next one is not. Returns LINE's sentence."""
        fault = {"endpoint": "push", "limit": limit, "count": 1}
        tell("/faults", fault)
        _, said = self.refused(429, self.api.push_message, push(SAKURA))
        self.assertEqual(chat_of(SAKURA), [])
        self.api.push_message(push(SAKURA))
        return said.message

    def test_a_rate_limit_says_to_come_back_later(self):
        self.assertEqual(self.limited("rate"), "The API rate limit has been exceeded. Try again later.")

    def test_too_many_messages_to_one_user_are_another_limit(self):
        self.assertNotEqual(self.limited("user"), "You have reached your monthly limit.")

    def test_a_spent_quota_can_be_a_fault_too(self):
        self.assertEqual(self.limited("quota"), "You have reached your monthly limit.")

    def test_an_error_of_line_is_an_error_of_the_sdk(self):
        tell("/faults", {"endpoint": "push", "status": 500, "count": 1})
        self.refused(500, self.api.push_message, push(SAKURA))
        self.assertEqual(chat_of(SAKURA), [])


main()
