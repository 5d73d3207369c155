"""LINE's SDK for Python meets each fault of the simulator: calls that fail or hang, webhooks that come oddly."""

import time
import uuid

from linebot.v3.messaging import ApiException, MulticastRequest
from linebot.v3.messaging.exceptions import ForbiddenException, ServiceException, UnauthorizedException
from linebot.v3.webhook import WebhookParser
from urllib3.exceptions import ProtocolError, ReadTimeoutError

from world import ALICE, PATIENCE, SAKURA, SECRET, Bot, SdkTest, control, hears, main, push, tell, text

PARSER = WebhookParser(SECRET)
# How long the bot waits for an answer that is lost, in seconds.
SHORT = 0.3


def fault(endpoint="push", **what):
    tell("/faults", {"endpoint": endpoint, **what})


def ledger():
    return control("GET", "/ledger")[1]["messages"]


class Calls(SdkTest):
    def push(self, key=None, **options):
        return self.api.push_message_with_http_info(push(SAKURA), x_line_retry_key=key, **options)

    def succeeds(self):
        """Pushes; returns whether LINE has accepted it."""
        try:
            self.push()
        except ApiException as error:
            self.assertEqual(error.status, 500)
            return False
        return True

    def test_a_status_is_the_sdks_error_of_that_status_and_the_call_does_nothing(self):
        for status, kind, sentence in (
                (500, ServiceException, "Internal Server Error"), (401, UnauthorizedException, "Authentication failed"),
                (403, ForbiddenException, "not available for your account")):
            fault(status=status, count=1)
            error, said = self.refused(status, self.push)
            self.assertIsInstance(error, kind)
            self.assertIn(sentence, said.message)
        fault(status=503, message="Come back later", count=1)
        self.assertEqual(self.refused(503, self.push)[1].message, "Come back later")
        self.assertEqual(ledger(), [])

    def test_a_refused_call_can_be_repeated_with_its_retry_key(self):
        key = str(uuid.uuid4())
        fault(status=500, count=1)
        self.refused(500, self.push, key)
        self.push(key)
        self.refused(409, self.push, key)
        self.assertEqual([one["retryKey"] for one in ledger()], [key])

    def lost_answer(self, error, **what):
        """Pushes and must not get an answer; returns the push's retry key."""
        key = str(uuid.uuid4())
        fault(**what, count=1)
        last = control("GET", "/log")[1]["count"]
        with self.assertRaises(error):
            self.push(key, _request_timeout=SHORT if error is ReadTimeoutError else None)
        # However soon the bot has given up: the call has come, and met its fault.
        control("GET", f"/log?after={last}&wait_ms={PATIENCE * 1_000}")
        return key

    def assert_said_now(self, key):
        """Nothing was said before; the repeat is accepted and said once."""
        self.assertEqual(ledger(), [])
        answer = self.push(key)
        [said] = ledger()
        self.assertEqual(said["requestId"], answer.headers["x-line-request-id"])
        self.assertEqual((said["retryKey"], said["id"]), (key, answer.data.sent_messages[0].id))

    def assert_said_already(self, key):
        """It was said; the repeat is refused with what was said then, and says nothing."""
        control("GET", f"/chats/{SAKURA}?after=0&wait_ms={PATIENCE * 1_000}")
        error, refusal = self.refused(409, self.push, key)
        [said] = ledger()
        self.assertEqual(said["retryKey"], key)
        self.assertEqual(error.headers["x-line-accepted-request-id"], said["requestId"])
        self.assertEqual([one.id for one in refusal.sent_messages], [said["id"]])

    def test_a_call_that_timed_out_before_its_acceptance_is_said_when_repeated(self):
        self.assert_said_now(self.lost_answer(ReadTimeoutError, timeout="before"))

    def test_a_call_that_timed_out_after_its_acceptance_is_not_said_again(self):
        self.assert_said_already(self.lost_answer(ReadTimeoutError, timeout="after"))

    def test_a_call_whose_connection_broke_before_its_acceptance_is_said_when_repeated(self):
        self.assert_said_now(self.lost_answer(ProtocolError, reset="before"))

    def test_a_call_whose_connection_broke_after_its_acceptance_is_not_said_again(self):
        self.assert_said_already(self.lost_answer(ProtocolError, reset="after"))

    def test_a_slow_answer_comes_and_what_was_sent_is_said(self):
        fault(delayMs=100, count=1)
        start = time.monotonic()
        self.push()
        self.assertGreaterEqual(time.monotonic() - start, 0.1)
        self.assertEqual(len(ledger()), 1)

    def test_a_call_is_accepted_although_the_bot_did_not_wait_for_its_answer(self):
        self.assert_said_already(self.lost_answer(ReadTimeoutError, delayMs=2 * int(SHORT * 1_000)))

    def test_a_count_ends_a_fault(self):
        fault(status=500, count=2)
        self.assertEqual([self.succeeds() for _ in range(4)], [False, False, True, True])

    def test_the_same_seed_lets_the_same_calls_succeed(self):
        def pattern(seed):
            fault(status=500, rate=0.5, seed=seed)
            successes = [self.succeeds() for _ in range(32)]
            control("DELETE", "/faults")
            return successes

        first = pattern(7)
        self.assertEqual(set(first), {True, False})
        self.assertEqual(pattern(7), first)
        self.assertNotEqual(pattern(8), first)

    def test_a_fault_of_one_endpoint_leaves_the_others_alone_and_a_star_means_all(self):
        fault("multicast", status=500)
        many = MulticastRequest(to=[SAKURA, ALICE], messages=[text()])
        self.refused(500, self.api.multicast, many)
        self.push()
        fault("*", status=503)
        for call in (self.push, self.api.get_bot_info, self.api.get_message_quota):
            self.refused(503, call)
        control("DELETE", "/faults")
        self.api.multicast(many)


class Webhooks(SdkTest):
    def setUp(self):
        super().setUp()
        tell("/clock", {"stands": True})
        self.addCleanup(tell, "/clock", {"stands": False, "speed": 1})
        self.addCleanup(Bot.may_answer.set)

    def says(self, words, chat_id=SAKURA, wait=False):
        return tell(f"/chats/{chat_id}/messages{'?wait=webhook' if wait else ''}", {"type": "text", "text": words})

    def hears(self, *texts, again=False):
        """Hears exactly these texts, as redeliveries or not; returns the events as the SDK reads them."""
        events = []
        for _ in texts:
            [event] = PARSER.parse(*hears())
            events.append(event)
        self.assertEqual([event.message.text for event in events], list(texts))
        self.assertEqual({event.delivery_context.is_redelivery for event in events}, {again})
        return events

    def test_a_duplicate_has_the_same_id_and_is_no_redelivery(self):
        fault("callback", duplicate=2, count=1)
        sent = self.says("180")
        first, second, third = self.hears("180", "180", "180")
        self.assertEqual(first.webhook_event_id, sent["webhookEventId"])
        self.assertEqual((second, third), (first, first))
        self.says("end")
        self.hears("end")

    def test_a_duplicate_has_the_same_reply_token_which_works_once(self):
        fault("callback", duplicate=1, count=1)
        self.says("180")
        first, second = self.hears("180", "180")
        self.api.reply_message({"replyToken": first.reply_token, "messages": [text()]})
        self.refused(400, self.api.reply_message, {"replyToken": second.reply_token, "messages": [text()]})

    def test_reordered_webhooks_come_with_the_later_time_stamp_first(self):
        # The delay lets time pass between the two; the clock stands, so that nothing else does.
        fault("callback", reorder=True, delayMs=3_000, count=1)
        self.says("first")
        tell("/clock", {"advanceSeconds": 2})
        self.says("second")
        tell("/clock", {"advanceSeconds": 1})
        second, first = self.hears("second", "first")
        self.assertEqual(second.timestamp - first.timestamp, 2_000)

    def test_a_delayed_webhook_holds_up_its_chat_and_no_other(self):
        fault("callback", delayMs=3_000, count=1)
        self.says("slow")
        self.says("after it")
        self.says("elsewhere", ALICE)
        self.hears("elsewhere")
        tell("/clock", {"advanceSeconds": 2})
        self.says("still elsewhere", ALICE)
        self.hears("still elsewhere")
        tell("/clock", {"advanceSeconds": 1})
        slow, after = self.hears("slow", "after it")
        self.assertEqual(slow.timestamp, after.timestamp)

    def test_a_lost_webhook_comes_as_a_redelivery_with_its_id(self):
        fault("callback", lose=True, count=1)
        sent = self.says("180", wait=True)
        self.assertEqual(sent["webhook"]["reason"], "lost")
        tell("/clock", {"advanceSeconds": 1})
        [again] = self.hears("180", again=True)
        self.assertEqual((again.webhook_event_id, again.message.id), (sent["webhookEventId"], sent["messageId"]))
        self.api.reply_message({"replyToken": again.reply_token, "messages": [text()]})

    def assert_comes_again(self, reason):
        """The next webhook ends so, and comes again after a second, the same but for saying so."""
        self.assertEqual(self.says("180", wait=True)["webhook"]["reason"], reason)
        [first] = self.hears("180")
        Bot.status = 200
        Bot.may_answer.set()
        tell("/clock", {"advanceSeconds": 1})
        [again] = self.hears("180", again=True)
        again.delivery_context.is_redelivery = False
        self.assertEqual(again, first)
        self.api.reply_message({"replyToken": again.reply_token, "messages": [text()]})

    def test_a_webhook_that_was_answered_500_comes_again(self):
        Bot.status = 500
        self.assert_comes_again("error_status_code")

    def test_a_webhook_that_was_not_answered_in_time_comes_again(self):
        tell("/settings", {"webhookTimeoutMs": 500})
        Bot.may_answer.clear()
        self.assert_comes_again("request_timeout")

    def test_a_webhook_that_is_never_taken_comes_again_five_times(self):
        Bot.status = 500
        tell("/clock", {"stands": False, "speed": 1_000})
        self.says("180")
        [first] = self.hears("180")
        again = self.hears(*["180"] * 5, again=True)
        self.assertEqual({event.webhook_event_id for event in again}, {first.webhook_event_id})
        self.assertEqual({event.timestamp for event in again}, {first.timestamp})


main()
