"""LINE's SDK for Python sends to many, with retry keys, and learns what was sent and what may be sent."""

import json
import uuid
from datetime import datetime, timedelta, timezone

from linebot.v3.messaging import (
    BroadcastRequest, Filter, GenderDemographicFilter, Limit, MulticastRequest, NarrowcastRequest,
    QuotaType, ReplyMessageRequest)

from world import ALICE, GROUP, KENTA, SAKURA, SdkTest, chat_of, control, happens, main, push, tell, text


def today():
    """The simulator's day in Japan, whose days LINE counts."""
    now = control("GET", "/status")[1]["now"]
    return datetime.fromtimestamp(now / 1000, timezone(timedelta(hours=9))).strftime("%Y%m%d")


class Many(SdkTest):
    def test_a_multicast_reaches_whom_it_names_and_no_other(self):
        self.api.multicast(MulticastRequest(to=[SAKURA, KENTA], messages=[text()]))
        self.assertEqual([one["via"] for one in chat_of(SAKURA) + chat_of(KENTA)], ["multicast"] * 2)
        self.assertEqual(chat_of(ALICE), [])

    def test_a_broadcast_reaches_all_friends(self):
        happens(KENTA, {"type": "unfollow"})
        self.api.broadcast(BroadcastRequest(messages=[text()]))
        self.assertEqual([len(chat_of(user)) for user in (SAKURA, ALICE, KENTA)], [1, 1, 0])

    def narrowcast(self, *messages):
        young = GenderDemographicFilter(oneOf=["male", "female"])
        request = NarrowcastRequest(messages=list(messages), filter=Filter(demographic=young), limit=Limit(max=100))
        answer = self.api.narrowcast_with_http_info(request)
        self.assertEqual(answer.status_code, 202)
        return answer.headers["x-line-request-id"]

    def test_a_narrowcast_is_accepted_and_its_progress_counts_users(self):
        progress = self.api.get_narrowcast_progress(self.narrowcast(text(), text("again")))
        self.assertEqual((progress.phase, progress.target_count), ("succeeded", 3))
        self.assertEqual((progress.success_count, progress.failure_count), (3, 0))
        self.assertLessEqual(progress.accepted_time, progress.completed_time)

    def test_the_times_of_a_progress_have_three_digits_of_a_second(self):
        answer = self.api.get_narrowcast_progress_with_http_info(self.narrowcast(text()))
        times = json.loads(answer.raw_data)
        for name in ("acceptedTime", "completedTime"):
            self.assertRegex(times[name], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")

    def test_a_narrowcast_to_nobody_has_succeeded_for_nobody(self):
        for user in (SAKURA, ALICE, KENTA):
            happens(user, {"type": "unfollow"})
        progress = self.api.get_narrowcast_progress(self.narrowcast(text()))
        self.assertEqual((progress.phase, progress.success_count), ("succeeded", 0))

    def test_only_a_narrowcast_has_a_progress(self):
        answer = self.api.broadcast_with_http_info(BroadcastRequest(messages=[text()]))
        for request_id in (answer.headers["x-line-request-id"], str(uuid.uuid4())):
            self.refused(404, self.api.get_narrowcast_progress, request_id)

    def test_a_retry_key_is_accepted_once_and_names_the_request_that_was(self):
        requests = {
            self.api.push_message_with_http_info: push(SAKURA),
            self.api.multicast_with_http_info: MulticastRequest(to=[SAKURA], messages=[text()]),
            self.api.broadcast_with_http_info: BroadcastRequest(messages=[text()]),
            self.api.narrowcast_with_http_info: NarrowcastRequest(messages=[text()]),
        }
        for send, request in requests.items():
            with self.subTest(send.__name__):
                key, before = str(uuid.uuid4()), len(chat_of(SAKURA))
                first = send(request, x_line_retry_key=key)
                error, said = self.refused(409, send, request, x_line_retry_key=key)
                self.assertEqual(said.message, "The retry key is already accepted")
                self.assertEqual(error.headers["x-line-accepted-request-id"], first.headers["x-line-request-id"])
                self.assertEqual(len(chat_of(SAKURA, before)), 1)
                if send == self.api.push_message_with_http_info:
                    self.assertEqual(said.sent_messages, first.data.sent_messages)
                else:
                    self.assertIsNone(said.sent_messages)

    def test_a_retry_key_that_is_no_uuid_is_refused(self):
        self.refused(400, self.api.push_message, push(SAKURA), x_line_retry_key="once")

    def test_a_retry_key_is_refused_by_all_other_calls(self):
        reply = ReplyMessageRequest(replyToken=self.reply_token(), messages=[text()])
        self.api.api_client.set_default_header("X-Line-Retry-Key", str(uuid.uuid4()))
        self.refused(400, self.api.reply_message, reply)
        self.refused(400, self.api.get_bot_info)

    def test_the_quota_is_without_a_limit_until_there_is_one(self):
        self.assertEqual(self.api.get_message_quota().type, QuotaType.NONE)
        tell("/settings", {"monthlyLimit": 200})
        quota = self.api.get_message_quota()
        self.assertEqual((quota.type, quota.value), (QuotaType.LIMITED, 200))

    def test_the_consumption_counts_recipients_and_no_replies(self):
        self.api.push_message(push(GROUP, text(), text("again")))
        self.assertEqual(self.api.get_message_quota_consumption().total_usage, 3)
        self.api.reply_message(ReplyMessageRequest(replyToken=self.reply_token(), messages=[text()]))
        self.api.multicast(MulticastRequest(to=[SAKURA, ALICE], messages=[text()]))
        self.assertEqual(self.api.get_message_quota_consumption().total_usage, 5)

    def test_deliveries_are_counted_by_kind_when_the_day_is_over(self):
        day = today()
        self.api.push_message(push(SAKURA))
        self.api.reply_message(ReplyMessageRequest(replyToken=self.reply_token(), messages=[text()]))
        self.api.multicast(MulticastRequest(to=[SAKURA, ALICE], messages=[text()]))
        self.api.broadcast(BroadcastRequest(messages=[text()]))
        counts = {self.api.get_number_of_sent_push_messages: 1, self.api.get_number_of_sent_reply_messages: 1,
                  self.api.get_number_of_sent_multicast_messages: 2, self.api.get_number_of_sent_broadcast_messages: 3}
        for ask in counts:
            self.assertEqual(ask(day).status, "unready")
            self.assertEqual(ask("20180330").status, "out_of_service")
        tell("/clock", {"advanceSeconds": 24 * 60 * 60})
        for ask, count in counts.items():
            with self.subTest(ask.__name__):
                answer = ask(day)
                self.assertEqual((answer.status, answer.success), ("ready", count))


main()
