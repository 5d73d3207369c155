"""LINE's SDK for Python learns who there is: profiles, followers, groups, rooms; and leaves them."""

import json

from world import ALICE, GROUP, KENTA, SAKURA, SdkTest, add_group, happens, hears, main, push, tell

STRANGER = "U" + "9" * 32
MIA = {"userId": "U" + "a" * 32, "displayName": "Mia", "language": "en",
       "pictureUrl": "https://example.com/mia.jpg", "statusMessage": "Hi!"}


class People(SdkTest):
    def test_a_profile_has_all_that_the_user_shows(self):
        tell("/users", MIA)
        mia = self.api.get_profile(MIA["userId"])
        self.assertEqual((mia.user_id, mia.display_name, mia.language), (MIA["userId"], "Mia", "en"))
        self.assertEqual((mia.picture_url, mia.status_message), (MIA["pictureUrl"], "Hi!"))
        alice = self.api.get_profile(ALICE)
        self.assertEqual((alice.display_name, alice.picture_url, alice.status_message), ("Alice", None, None))

    def test_a_stranger_and_one_who_has_blocked_the_bot_have_no_profile(self):
        self.refused(404, self.api.get_profile, STRANGER)
        happens(KENTA, {"type": "unfollow"})
        self.refused(404, self.api.get_profile, KENTA)

    def test_followers_come_in_pages(self):
        first = self.api.get_followers(limit=2)
        self.assertEqual(first.user_ids, [SAKURA, ALICE])
        second = self.api.get_followers(start=first.next, limit=2)
        self.assertEqual((second.user_ids, second.next), ([KENTA], None))
        self.refused(400, self.api.get_followers, start="nowhere")

    def test_a_group_is_summed_up(self):
        group = {"groupName": "Picnic", "members": [ALICE], "pictureUrl": "https://example.com/picnic.jpg"}
        picnic = self.api.get_group_summary(add_group(group)["groupId"])
        self.assertEqual((picnic.group_name, picnic.picture_url), ("Picnic", group["pictureUrl"]))
        self.assertEqual(self.api.get_group_summary(GROUP).group_id, GROUP)
        self.refused(404, self.api.get_group_summary, "C" + "9" * 32)

    def test_the_members_of_a_group_are_counted_and_named(self):
        self.assertEqual(self.api.get_group_member_count(GROUP).count, 3)
        self.assertEqual(self.api.get_group_members_ids(GROUP).member_ids, [SAKURA, ALICE, KENTA])
        alice = self.api.get_group_member_profile(GROUP, ALICE)
        self.assertEqual((alice.user_id, alice.display_name), (ALICE, "Alice"))
        self.refused(404, self.api.get_group_member_profile, GROUP, STRANGER)

    def test_the_members_of_a_large_group_come_in_pages_of_100(self):
        members = [tell("/users", {"displayName": str(n)})["userId"] for n in range(101)]
        group = add_group({"groupName": "All", "members": members})["groupId"]
        first = self.api.get_group_members_ids(group)
        second = self.api.get_group_members_ids(group, start=first.next)
        self.assertEqual(first.member_ids + second.member_ids, members)
        self.assertEqual((len(first.member_ids), second.next), (100, None))

    def test_a_room_has_members_and_no_summary(self):
        room = add_group({"groupName": "Trip", "members": [SAKURA, ALICE], "room": True})["roomId"]
        self.assertEqual(self.api.get_room_member_count(room).count, 2)
        self.assertEqual(self.api.get_room_members_ids(room).member_ids, [SAKURA, ALICE])
        self.assertEqual(self.api.get_room_member_profile(room, SAKURA).display_name, "さくら")
        self.refused(404, self.api.get_group_summary, room)

    def test_a_bot_that_has_left_hears_so_and_is_out(self):
        room = add_group({"groupName": "Trip", "members": [SAKURA], "room": True})["roomId"]
        for leave, chat_id, count in ((self.api.leave_group, GROUP, self.api.get_group_member_count),
                                      (self.api.leave_room, room, self.api.get_room_member_count)):
            leave(chat_id)
            self.assertEqual(json.loads(hears()[0])["events"][0]["type"], "leave")
            self.refused(404, count, chat_id)
            self.refused(400, self.api.push_message, push(chat_id))


main()
