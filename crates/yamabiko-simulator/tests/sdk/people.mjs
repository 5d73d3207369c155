// LINE's SDK for Node learns who there is: profiles, followers, groups, rooms; and leaves them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { ALICE, GROUP, KENTA, SAKURA, addGroup, api, happens, hears, refused, tell, text } from "./world.mjs";

const STRANGER = "U" + "9".repeat(32);
const MIA = {
  userId: "U" + "a".repeat(32), displayName: "Mia", language: "en",
  pictureUrl: "https://example.com/mia.jpg", statusMessage: "Hi!",
};
const heardType = async () => JSON.parse((await hears()).body).events[0].type;

test("a profile has all that the user shows", async () => {
  await tell("/users", MIA);
  assert.deepEqual(await api.getProfile(MIA.userId), MIA);
  assert.deepEqual(await api.getProfile(ALICE), { userId: ALICE, displayName: "Alice", language: "en" });
});

test("a stranger and one who has blocked the bot have no profile", async () => {
  await refused(404, api.getProfile(STRANGER));
  await happens(KENTA, { type: "unfollow" });
  await refused(404, api.getProfile(KENTA));
});

test("followers come in pages", async () => {
  const { userIds, next } = await api.getFollowers(undefined, 2);
  assert.deepEqual(userIds, [SAKURA, ALICE]);
  assert.deepEqual(await api.getFollowers(next, 2), { userIds: [KENTA] });
  await refused(400, api.getFollowers("nowhere"));
});

test("a group is summed up", async () => {
  const about = { groupName: "Picnic", pictureUrl: "https://example.com/picnic.jpg" };
  const { groupId } = await addGroup({ ...about, members: [ALICE] });
  assert.deepEqual(await api.getGroupSummary(groupId), { groupId, ...about });
  assert.deepEqual(await api.getGroupSummary(GROUP), { groupId: GROUP, groupName: "山の会" });
  await refused(404, api.getGroupSummary("C" + "9".repeat(32)));
});

test("the members of a group are counted and named", async () => {
  assert.deepEqual(await api.getGroupMemberCount(GROUP), { count: 3 });
  assert.deepEqual(await api.getGroupMembersIds(GROUP), { memberIds: [SAKURA, ALICE, KENTA] });
  assert.deepEqual(await api.getGroupMemberProfile(GROUP, ALICE), { userId: ALICE, displayName: "Alice" });
  await refused(404, api.getGroupMemberProfile(GROUP, STRANGER));
});

test("the members of a large group come in pages of 100", async () => {
  const members = [];
  for (let n = 0; n < 101; n += 1) members.push((await tell("/users", { displayName: `${n}` })).userId);
  const { groupId } = await addGroup({ groupName: "All", members });
  const first = await api.getGroupMembersIds(groupId);
  assert.equal(first.memberIds.length, 100);
  const second = await api.getGroupMembersIds(groupId, first.next);
  assert.deepEqual([...first.memberIds, ...second.memberIds], members);
  assert.equal(second.next, undefined);
});

test("a room has members and no summary", async () => {
  const { roomId } = await addGroup({ groupName: "Trip", members: [SAKURA, ALICE], room: true });
  assert.deepEqual(await api.getRoomMemberCount(roomId), { count: 2 });
  assert.deepEqual(await api.getRoomMembersIds(roomId), { memberIds: [SAKURA, ALICE] });
  assert.equal((await api.getRoomMemberProfile(roomId, SAKURA)).displayName, "さくら");
  await refused(404, api.getGroupSummary(roomId));
});

test("a bot that has left hears so and is out", async () => {
  const { roomId } = await addGroup({ groupName: "Trip", members: [SAKURA], room: true });
  for (const [kind, chatId] of [["Group", GROUP], ["Room", roomId]]) {
    await api[`leave${kind}`](chatId);
    assert.equal(await heardType(), "leave");
    await refused(404, api[`get${kind}MemberCount`](chatId));
    await refused(400, api.pushMessage({ to: chatId, messages: [text()] }));
  }
});
