"""LINE's SDK for Python meets LINE's limits: of calls in a time, of a month, of the lives of tokens and keys."""

import uuid

from linebot.v3.messaging import (
    BroadcastRequest, MulticastRequest, NarrowcastRequest, ReplyMessageRequest, ShowLoadingAnimationRequest,
    TestWebhookEndpointRequest)

from world import ALICE, BOT, GROUP, SAKURA, SdkTest, chat_of, main, push, tell, text

TOO_MANY = "The API rate limit has been exceeded. Try again later."
MONTHLY = "You have reached your monthly limit."
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class StandingClock(SdkTest):
    """Lets time pass only when a test says so."""

    def setUp(self):
        super().setUp()
        tell("/clock", {"stands": True})
        self.addCleanup(tell, "/clock", {"stands": False})

    def passes(self, seconds):
        tell("/clock", {"advanceSeconds": seconds})


class Rates(StandingClock):
    def assert_rate(self, calls, seconds, call, *args):
        """So many calls are taken in so many seconds, and no more; after that time as many again."""
        for _ in range(2):
            for _ in range(calls):
                call(*args)
            _, said = self.refused(429, call, *args)
            self.assertEqual(said.message, TOO_MANY)
            self.passes(seconds)
        call(*args)

    def test_the_loading_animation_starts_100_times_a_second(self):
        loading = ShowLoadingAnimationRequest(chatId=SAKURA, loadingSeconds=5)
        self.assert_rate(100, 1, self.api.show_loading_animation, loading)

    def test_200_multicasts_are_taken_a_second(self):
        many = MulticastRequest(to=[SAKURA, ALICE], messages=[text()])
        self.assert_rate(200, 1, self.api.multicast, many)
        self.assertEqual(len(chat_of(ALICE)), 401)

    def test_60_broadcasts_are_taken_an_hour(self):
        self.assert_rate(60, HOUR, self.api.broadcast, BroadcastRequest(messages=[text()]))

    def test_60_narrowcasts_are_taken_an_hour(self):
        self.assert_rate(60, HOUR, self.api.narrowcast, NarrowcastRequest(messages=[text()]))

    def test_the_webhook_is_tested_60_times_an_hour(self):
        self.assert_rate(60, HOUR, self.api.test_webhook_endpoint, TestWebhookEndpointRequest(endpoint=BOT))

    def test_the_webhooks_address_is_asked_for_1000_times_a_minute(self):
        self.assert_rate(1_000, MINUTE, self.api.get_webhook_endpoint)

    def test_a_bucket_fills_evenly_and_leaves_other_calls_alone(self):
        test = TestWebhookEndpointRequest(endpoint=BOT)
        for _ in range(60):
            self.api.test_webhook_endpoint(test)
        self.passes(MINUTE - 1)
        self.refused(429, self.api.test_webhook_endpoint, test)
        self.passes(1)
        self.api.test_webhook_endpoint(test)
        self.refused(429, self.api.test_webhook_endpoint, test)
        self.api.push_message(push(SAKURA))


class Quota(StandingClock):
    def used(self):
        return self.api.get_message_quota_consumption().total_usage

    def over(self, call, request):
        self.assertEqual(self.refused(429, call, request)[1].message, MONTHLY)

    def test_a_month_ends_with_its_messages_and_a_group_costs_one_for_each_member(self):
        tell("/settings", {"monthlyLimit": 5})
        self.api.push_message(push(GROUP, text(), text("again")))
        self.assertEqual(self.used(), 3)
        self.over(self.api.push_message, push(GROUP))
        self.over(self.api.broadcast, BroadcastRequest(messages=[text()]))
        self.api.multicast(MulticastRequest(to=[SAKURA, ALICE], messages=[text()]))
        self.over(self.api.push_message, push(SAKURA))
        self.api.reply_message(ReplyMessageRequest(replyToken=self.reply_token(), messages=[text()]))
        self.assertEqual((self.used(), len(chat_of(GROUP))), (5, 2))
        self.passes(31 * DAY)
        self.api.push_message(push(GROUP))
        self.assertEqual(self.used(), 3)

    def test_a_refused_call_leaves_its_retry_key_unused(self):
        tell("/settings", {"monthlyLimit": 0})
        key = str(uuid.uuid4())
        self.refused(429, self.api.push_message, push(SAKURA), x_line_retry_key=key)
        tell("/settings", {"monthlyLimit": 1})
        self.api.push_message(push(SAKURA), x_line_retry_key=key)


class Lives(StandingClock):
    def reply(self, token):
        self.api.reply_message(ReplyMessageRequest(replyToken=token, messages=[text()]))

    def spoilt(self, token):
        self.assertEqual(self.refused(400, self.reply, token)[1].message, "Invalid reply token")

    def redelivers(self, event):
        tell(f"/webhooks/{event['webhookEventId']}/redeliver")

    def heard(self):
        return self.says(SAKURA, {"type": "text", "text": "180"})

    def test_a_reply_token_lives_60_seconds(self):
        for seconds, works in ((60, True), (61, False)):
            token = self.heard()["replyToken"]
            self.passes(seconds)
            (self.reply if works else self.spoilt)(token)

    def test_a_reply_token_works_once_even_after_a_redelivery(self):
        event = self.heard()
        self.reply(event["replyToken"])
        self.spoilt(event["replyToken"])
        self.redelivers(event)
        self.spoilt(event["replyToken"])

    def test_a_refused_reply_leaves_its_token_unused(self):
        token = self.heard()["replyToken"]
        wrong = ReplyMessageRequest(replyToken=token, messages=[text("a" * 5_001)])
        self.refused(400, self.api.reply_message, wrong)
        self.reply(token)

    def test_a_redelivery_gives_a_reply_token_60_seconds_again(self):
        event = self.heard()
        self.passes(10 * MINUTE)
        self.spoilt(event["replyToken"])
        self.redelivers(event)
        self.passes(60)
        self.reply(event["replyToken"])

    def test_no_redelivery_lets_a_reply_token_live_longer_than_20_minutes(self):
        event, other = self.heard(), self.heard()
        self.passes(20 * MINUTE - 1)
        self.redelivers(event)
        self.redelivers(other)
        self.passes(1)
        self.reply(event["replyToken"])
        self.passes(1)
        self.spoilt(other["replyToken"])
        self.redelivers(other)
        self.spoilt(other["replyToken"])

    def test_a_retry_key_is_remembered_for_24_hours(self):
        key = str(uuid.uuid4())
        self.api.push_message(push(SAKURA), x_line_retry_key=key)
        self.passes(DAY - 1)
        self.refused(409, self.api.push_message, push(SAKURA), x_line_retry_key=key)
        self.passes(1)
        self.api.push_message(push(SAKURA), x_line_retry_key=key)
        self.assertEqual(len(chat_of(SAKURA)), 2)


main()
