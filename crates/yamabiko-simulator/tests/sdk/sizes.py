"""LINE's SDK for Python meets LINE's limits of size: what is taken, and what is one too many."""

from linebot.v3.messaging import (
    ButtonsTemplate, CarouselColumn, CarouselTemplate, ConfirmTemplate, FlexContainer, FlexMessage, MessageAction,
    MulticastRequest, PostbackAction, PushMessageRequest, QuickReply, QuickReplyItem, Sender,
    ShowLoadingAnimationRequest, TemplateMessage, TextMessage, URIAction, ValidateMessageRequest)

from world import SAKURA, SdkTest, chat_of, main, push, text

MB = 1024 * 1024


# What the SDK checks by itself is built with `construct`, which leaves that out.
class Sizes(SdkTest):
    def test_a_request_of_more_than_2_mb_is_too_large(self):
        for size, status in ((2 * MB - 1_000, 400), (2 * MB, 413), (20 * MB, 413)):
            self.refused(status, self.api.push_message, push(SAKURA, text("a" * size)))
        self.api.push_message(push(SAKURA))
        self.assertEqual(len(chat_of(SAKURA)), 1)

    def assert_limit(self, message, most, *places):
        """A message is taken with `most` of something, and refused in these places with one more."""
        self.api.validate_push(ValidateMessageRequest(messages=[message(most)]))
        _, said = self.refused(400, self.api.validate_push, ValidateMessageRequest(messages=[message(most + 1)]))
        self.assertEqual([detail.var_property for detail in said.details], [f"messages[0].{place}" for place in places])

    def test_texts_have_5000_utf_16_units(self):
        self.assert_limit(lambda size: text("a" * size), 5_000, "text")
        self.assert_limit(lambda size: text("😄" * size), 2_500, "text")

    def test_a_quick_reply_has_13_buttons_with_labels_of_20(self):
        def message(buttons, label):
            items = [QuickReplyItem(action=MessageAction(label="a" * label, text="a"))] * buttons
            return TextMessage(text="a", quickReply=QuickReply.construct(items=items))

        self.assert_limit(lambda buttons: message(buttons, 20), 13, "quickReply.items")
        self.assert_limit(lambda label: message(1, label), 20, "quickReply.items[0].action.label")

    def test_a_sender_has_a_name_of_20(self):
        self.assert_limit(
            lambda size: TextMessage(text="a", sender=Sender.construct(name="a" * size)), 20, "sender.name")

    def template(self, template, alt=1):
        return TemplateMessage(altText="a" * alt, template=template)

    def test_templates_have_limits(self):
        def action(label=1, data=1):
            return PostbackAction.construct(label="a" * label, data="a" * data)

        def buttons(size=1, actions=1, label=1, data=1, alt=1):
            parts = ButtonsTemplate(text="a" * size, actions=[action(label, data)] * actions)
            return self.template(parts, alt)

        def columns(count=1, size=1):
            column = CarouselColumn(text="a" * size, actions=[action()])
            return self.template(CarouselTemplate(columns=[column] * count))

        def confirm(size=1):
            return self.template(ConfirmTemplate(text="a" * size, actions=[action(), action()]))

        self.assert_limit(lambda n: buttons(alt=n), 1_500, "altText")
        self.assert_limit(lambda n: buttons(size=n), 160, "template.text")
        self.assert_limit(lambda n: buttons(actions=n), 4, "template.actions")
        self.assert_limit(lambda n: buttons(label=n), 20, "template.actions[0].label")
        self.assert_limit(lambda n: buttons(data=n), 300, "template.actions[0].data")
        self.assert_limit(lambda n: columns(count=n), 10, "template.columns")
        self.assert_limit(lambda n: columns(size=n), 120, "template.columns[0].text")
        self.assert_limit(lambda n: confirm(size=n), 240, "template.text")

    def test_an_address_of_an_action_has_1000_characters(self):
        start = "https://example.com/"
        self.assert_limit(
            lambda size: self.template(ButtonsTemplate(text="a", actions=[
                URIAction(label="a", uri=start + "a" * (size - len(start)))])), 1_000, "template.actions[0].uri")

    def test_a_flex_carousel_has_12_bubbles(self):
        bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": []}}

        def carousel(count):
            contents = FlexContainer.from_dict({"type": "carousel", "contents": [bubble] * count})
            return FlexMessage(altText="a", contents=contents)

        self.assert_limit(carousel, 12, "contents.contents")

    def test_a_call_has_five_messages_and_a_multicast_500_users(self):
        many = PushMessageRequest.construct(to=SAKURA, messages=[text()] * 6)
        self.assertEqual(self.refused(400, self.api.push_message, many)[1].details[0].var_property, "messages")
        self.api.push_message(push(SAKURA, *[text()] * 5))
        self.api.multicast(MulticastRequest(to=[SAKURA] * 500, messages=[text()]))
        many = MulticastRequest.construct(to=[SAKURA] * 501, messages=[text()])
        self.refused(400, self.api.multicast, many)
        self.assertEqual(len(chat_of(SAKURA)), 6)

    def test_the_loading_animation_lasts_5_to_60_seconds_in_steps_of_5(self):
        def loading(seconds):
            return ShowLoadingAnimationRequest.construct(chat_id=SAKURA, loading_seconds=seconds)

        for seconds in (5, 60):
            self.api.show_loading_animation(loading(seconds))
        for seconds in (0, 4, 7, 61, 65):
            self.refused(400, self.api.show_loading_animation, loading(seconds))


main()
