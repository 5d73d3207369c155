"""LINE's SDK for Python looks after the bot's own affairs: who it is, its webhook, loading, marks of reading."""

import socket

from linebot.v3.messaging import (
    MarkMessagesAsReadByTokenRequest, SetWebhookEndpointRequest, ShowLoadingAnimationRequest,
    TestWebhookEndpointRequest)
from linebot.v3.webhook import WebhookParser

from world import BOT, GROUP, SAKURA, SECRET, Bot, SdkTest, chat_of, control, hears, main, push, tell


class Account(SdkTest):
    def test_the_bot_knows_itself(self):
        info = self.api.get_bot_info()
        self.assertEqual(info.user_id, control("GET", "/status")[1]["botUserId"])
        self.assertEqual((info.display_name, info.basic_id[0]), ("Bot", "@"))
        self.assertEqual((info.chat_mode, info.mark_as_read_mode), ("bot", "auto"))
        tell("/settings", {"markAsReadMode": "manual"})
        info = self.api.get_bot_info()
        self.assertEqual((info.chat_mode, info.mark_as_read_mode), ("chat", "manual"))

    def test_the_webhooks_address_is_set_and_got(self):
        other = f"{BOT}/other"
        self.api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=other))
        webhook = self.api.get_webhook_endpoint()
        self.assertEqual((webhook.endpoint, webhook.active), (other, True))
        for wrong in ("ftp://example.com/", "https://example.com/" + "a" * 500):
            request = SetWebhookEndpointRequest.construct(endpoint=wrong)
            self.refused(400, self.api.set_webhook_endpoint, request)

    def test_a_webhook_that_is_off_or_not_set_is_told(self):
        self.api.set_webhook_endpoint(SetWebhookEndpointRequest(endpoint=BOT))
        tell("/settings", {"webhook": "off"})
        webhook = self.api.get_webhook_endpoint()
        self.assertEqual((webhook.endpoint, webhook.active), (BOT, False))
        tell("/settings", {"webhook": "unset"})
        self.refused(404, self.api.get_webhook_endpoint)
        self.refused(404, self.api.test_webhook_endpoint)

    def test_a_test_of_the_webhook_is_signed_and_empty(self):
        result = self.api.test_webhook_endpoint(TestWebhookEndpointRequest(endpoint=BOT))
        self.assertEqual((result.success, result.status_code, result.reason), (True, 200, "OK"))
        self.assertEqual(result.detail, "200")
        payload = WebhookParser(SECRET).parse(*hears(), as_payload=True)
        self.assertEqual((payload.events, payload.destination), ([], self.api.get_bot_info().user_id))

    def test_a_test_without_an_address_takes_the_one_that_is_set(self):
        self.assertTrue(self.api.test_webhook_endpoint().success)
        hears()

    def test_a_test_says_how_the_webhook_failed(self):
        Bot.status = 500
        result = self.api.test_webhook_endpoint()
        self.assertEqual((result.success, result.status_code), (False, 500))
        self.assertEqual(result.reason, "ERROR_STATUS_CODE")
        with socket.create_server(("127.0.0.1", 0)) as closed:
            nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        result = self.api.test_webhook_endpoint(TestWebhookEndpointRequest(endpoint=nobody))
        self.assertEqual((result.success, result.status_code, result.reason), (False, 0, "COULD_NOT_CONNECT"))

    def loading(self):
        return control("GET", f"/chats/{SAKURA}")[1]["loading"]

    def test_the_loading_animation_is_shown_until_the_bot_speaks(self):
        request = ShowLoadingAnimationRequest(chatId=SAKURA, loadingSeconds=5)
        answer = self.api.show_loading_animation_with_http_info(request)
        self.assertEqual(answer.status_code, 202)
        self.assertIsNotNone(self.loading())
        self.api.push_message(push(SAKURA))
        self.assertIsNone(self.loading())

    def test_the_loading_animation_ends_by_itself_and_lasts_20_seconds_by_default(self):
        self.api.show_loading_animation(ShowLoadingAnimationRequest(chatId=SAKURA))
        tell("/clock", {"advanceSeconds": 18})
        self.assertIsNotNone(self.loading())
        tell("/clock", {"advanceSeconds": 2})
        self.assertIsNone(self.loading())

    def test_the_loading_animation_is_for_one_user_and_for_whole_fives(self):
        group = ShowLoadingAnimationRequest(chatId=GROUP, loadingSeconds=5)
        self.refused(400, self.api.show_loading_animation, group)
        for seconds in (0, 7, 65):
            wrong = ShowLoadingAnimationRequest.construct(chat_id=SAKURA, loading_seconds=seconds)
            self.refused(400, self.api.show_loading_animation, wrong)

    def test_a_mark_of_reading_covers_all_messages_before(self):
        tell("/settings", {"markAsReadMode": "manual"})
        first, second, third = (self.says(SAKURA, {"type": "text", "text": word})["message"] for word in "abc")
        self.assertEqual([message["read"] for message in chat_of(SAKURA)], [False] * 3)
        request = MarkMessagesAsReadByTokenRequest(markAsReadToken=second["markAsReadToken"])
        self.api.mark_messages_as_read_by_token(request)
        self.assertEqual([message["read"] for message in chat_of(SAKURA)], [True, True, False])
        wrong = MarkMessagesAsReadByTokenRequest(markAsReadToken="wrong")
        self.refused(400, self.api.mark_messages_as_read_by_token, wrong)


main()
