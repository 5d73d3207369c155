// The webhook middleware of LINE's SDK for Node reads every event that the simulator sends, and refuses changed ones.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ALICE, GROUP, KENTA, SAKURA, SECRET, api, bot, control, hears, load, middleware, tell, text, validateSignature,
} from "./world.mjs";

const { SignatureValidationFailed } = load("@line/bot-sdk");
const read = middleware({ channelSecret: SECRET });

/** Reads a webhook as the SDK's middleware gives it to a bot. */
function parse({ body, signature }) {
  const request = { headers: { "x-line-signature": signature }, body };
  return new Promise((resolve, reject) => {
    read(request, {}, (error) => (error ? reject(error) : resolve(request.body)));
  });
}

/** The same bytes with one of them changed. */
function changed(bytes, at) {
  const copy = Buffer.from(bytes);
  copy[at] ^= 1;
  return copy;
}

/** Hears the next event as the SDK reads it; it must be complete and genuine. */
async function heard(type, answerable = true) {
  const webhook = await hears();
  const { body, signature } = webhook;
  assert.ok(validateSignature(body, SECRET, signature));
  const forgeries = [
    { body: changed(body, body.length >> 1), signature },
    { body: Buffer.concat([body, Buffer.from(" ")]), signature },
    { body, signature: changed(Buffer.from(signature, "base64"), 0).toString("base64") },
    { body, signature: undefined },
  ];
  for (const forged of forgeries) await assert.rejects(parse(forged), SignatureValidationFailed);
  const { destination, events } = await parse(webhook);
  assert.equal(destination, (await api.getBotInfo()).userId);
  assert.equal(events.length, 1);
  const [event] = events;
  assert.deepEqual([event.type, event.mode], [type, "active"]);
  assert.match(event.webhookEventId, /^[0-9A-HJKMNP-TV-Z]{26}$/);
  assert.ok(Math.abs(event.timestamp - (await control("GET", "/status")).body.now) < 60_000);
  assert.deepEqual(event.deliveryContext, { isRedelivery: false });
  assert.equal(typeof event.replyToken, answerable ? "string" : "undefined");
  return event;
}

/** Lets a user send a message; returns the event. */
async function message(chatId, content, userId) {
  const sent = await tell(`/chats/${chatId}/messages${userId ? `?userId=${userId}` : ""}`, content);
  const event = await heard("message");
  assert.deepEqual([event.message.id, event.webhookEventId], [sent.messageId, sent.webhookEventId]);
  return event;
}

/** Lets something happen; returns the event. */
async function happens(chatId, event, answerable) {
  await tell(`/chats/${chatId}/events`, event);
  return heard(event.type, answerable);
}

/** Checks all fields of a message but those that differ each time, which must be there if they are named. */
function assertMessage(event, expected, ...tokens) {
  const { id, ...shown } = event.message;
  assert.match(id, /^\d+$/);
  for (const token of tokens) {
    assert.equal(typeof shown[token], "string", token);
    delete shown[token];
  }
  assert.deepEqual(shown, expected);
}

const fromUser = { type: "user", userId: SAKURA };
const fromGroup = { type: "group", groupId: GROUP };

test("a text is read", async () => {
  const event = await message(SAKURA, text("180 🍎"));
  assert.deepEqual(event.source, fromUser);
  assertMessage(event, text("180 🍎"), "quoteToken");
});

test("a text with an emoji of LINE is read", async () => {
  const emojis = [{ index: 6, length: 7, productId: "5ac1bfd5040ab15980c9b435", emojiId: "001" }];
  const hello = { ...text("Hello (hello)"), emojis };
  assertMessage(await message(SAKURA, hello), hello, "quoteToken");
});

test("a text tells whom it mentions", async () => {
  const words = text("🍎 @Alice @Bot @All");
  const event = await message(GROUP, words, SAKURA);
  assert.deepEqual(event.source, { ...fromGroup, userId: SAKURA });
  const { userId } = await api.getBotInfo();
  const mentionees = [
    { index: 3, length: 6, type: "user", userId: ALICE, isSelf: false },
    { index: 10, length: 4, type: "user", userId, isSelf: true },
    { index: 15, length: 4, type: "all" },
  ];
  assertMessage(event, { ...words, mention: { mentionees } }, "quoteToken");
});

test("a text tells what it quotes", async () => {
  const { sentMessages } = await api.pushMessage({ to: SAKURA, messages: [text()] });
  const quoting = { ...text("why?"), quotedMessageId: sentMessages[0].id };
  assertMessage(await message(SAKURA, quoting), quoting, "quoteToken");
});

test("a message where Chat is on can be marked as read", async () => {
  await tell("/settings", { markAsReadMode: "manual" });
  assertMessage(await message(SAKURA, text("180")), text("180"), "quoteToken", "markAsReadToken");
});

test("a sticker is read", async () => {
  const sticker = { type: "sticker", packageId: "446", stickerId: "1988" };
  assertMessage(await message(SAKURA, sticker), { ...sticker, stickerResourceType: "STATIC" }, "quoteToken");
});

test("a location is read", async () => {
  const place = { type: "location", title: "Peak", address: "Hakone", latitude: 35.2324, longitude: 139.1069 };
  assertMessage(await message(SAKURA, place), place);
});

test("pictures, videos, audio and files are read", async () => {
  const contentProvider = { type: "line" };
  for (const [query, expected, ...tokens] of [
    ["type=image", { type: "image", contentProvider }, "quoteToken"],
    ["type=video&durationMs=3000", { type: "video", duration: 3000, contentProvider }, "quoteToken"],
    ["type=audio&durationMs=2000", { type: "audio", duration: 2000, contentProvider }],
    ["type=file&fileName=notes.txt", { type: "file", fileName: "notes.txt", fileSize: 5 }],
  ]) {
    await control("POST", `/chats/${SAKURA}/media?${query}`, Buffer.from("12345"), "application/octet-stream");
    assertMessage(await heard("message"), expected, ...tokens);
  }
});

test("an edited text is read", async () => {
  const { id } = (await message(GROUP, text("180"), ALICE)).message;
  assert.equal((await control("PUT", `/chats/${GROUP}/messages/${id}`, { text: "240" })).status, 200);
  const event = await heard("messageEdited");
  assert.deepEqual(event.source, { ...fromGroup, userId: ALICE });
  assert.equal(event.message.id, id);
  assertMessage(event, text("240"), "quoteToken");
});

test("an edited text mentions whom it means now", async () => {
  const { id } = (await message(GROUP, text("@Bot 180"), ALICE)).message;
  for (const [words, lengths] of [["hey @Alice", [6]], ["180", undefined]]) {
    await control("PUT", `/chats/${GROUP}/messages/${id}`, { text: words });
    const { mention } = (await heard("messageEdited")).message;
    assert.deepEqual(mention?.mentionees.map((one) => one.length), lengths);
  }
});

test("a text that is taken back is read", async () => {
  const messageId = (await message(SAKURA, text("180"))).message.id;
  const event = await happens(SAKURA, { type: "unsend", messageId }, false);
  assert.deepEqual([event.source, event.unsend], [fromUser, { messageId }]);
});

test("following, blocking and following again are told apart", async () => {
  const first = await happens(SAKURA, { type: "follow" });
  assert.deepEqual([first.source, first.follow], [fromUser, { isUnblocked: false }]);
  assert.deepEqual((await happens(SAKURA, { type: "unfollow" }, false)).source, fromUser);
  assert.deepEqual((await happens(SAKURA, { type: "follow" })).follow, { isUnblocked: true });
});

test("joining and leaving a group and a room are read", async () => {
  assert.deepEqual((await happens(GROUP, { type: "leave" }, false)).source, fromGroup);
  assert.deepEqual((await happens(GROUP, { type: "join" })).source, fromGroup);
  const { roomId } = await tell("/groups", { groupName: "Trip", members: [SAKURA], room: true });
  assert.deepEqual((await heard("join")).source, { type: "room", roomId });
});

test("members come and go", async () => {
  const members = [{ type: "user", userId: KENTA }];
  const left = await happens(GROUP, { type: "memberLeft", userIds: [KENTA] }, false);
  assert.deepEqual([left.source, left.left], [fromGroup, { members }]);
  const joined = await happens(GROUP, { type: "memberJoined", userIds: [KENTA] });
  assert.deepEqual([joined.source, joined.joined], [fromGroup, { members }]);
});

test("postbacks are read with and without parameters", async () => {
  const data = "cancel=3";
  const plain = await happens(SAKURA, { type: "postback", data });
  assert.deepEqual([plain.source, plain.postback], [fromUser, { data }]);
  for (const params of [
    { datetime: "2026-12-25T01:00" }, { date: "2026-12-25" }, { time: "01:00" },
    { newRichMenuAliasId: "second", status: "SUCCESS" },
  ]) {
    assert.deepEqual((await happens(SAKURA, { type: "postback", data, params })).postback, { data, params });
  }
});

test("a video that was watched to its end is read", async () => {
  const event = await happens(SAKURA, { type: "videoPlayComplete", trackingId: "film-1" });
  assert.deepEqual(event.videoPlayComplete, { trackingId: "film-1" });
});

test("a beacon is read", async () => {
  const beacon = { hwid: "d41d8cd98f", type: "enter" };
  assert.deepEqual((await happens(SAKURA, { type: "beacon", beacon })).beacon, beacon);
});

test("an account that was linked and one that could not be are told apart", async () => {
  const ok = { result: "ok", nonce: "xyz" };
  const linked = await happens(SAKURA, { type: "accountLink", link: ok });
  assert.deepEqual([linked.link, linked.source], [ok, fromUser]);
  const failed = await happens(SAKURA, { type: "accountLink", link: { ...ok, result: "failed" } }, false);
  assert.deepEqual([failed.link.result, failed.source], ["failed", undefined]);
});

test("a membership is read", async () => {
  for (const type of ["joined", "left", "renewed"]) {
    const membership = { type, membershipId: 3189 };
    assert.deepEqual((await happens(SAKURA, { type: "membership", membership })).membership, membership);
  }
});

test("an event and a message of types that are not invented yet are read all the same", async () => {
  const event = await happens(SAKURA, { type: "teleport", teleport: { to: "moon" } }, false);
  assert.deepEqual([event.teleport, event.source], [{ to: "moon" }, fromUser]);
  assertMessage(await message(SAKURA, { type: "hologram", size: 3 }), { type: "hologram", size: 3 });
});

test("a redelivery says so and is the same otherwise", async () => {
  const first = await message(SAKURA, text("180"));
  await tell(`/webhooks/${first.webhookEventId}/redeliver`, { times: 1 });
  const { events } = await parse(await hears());
  assert.deepEqual(events, [{ ...first, deliveryContext: { isRedelivery: true } }]);
});

test("an event that was refused is sent again", async () => {
  await tell("/settings", { redeliveryFirstMs: 1, redeliveryAttempts: 1 });
  bot.status = 503;
  await tell(`/chats/${SAKURA}/messages`, text("180"));
  const [first, again] = [await parse(await hears()), await parse(await hears())].map(({ events }) => events[0]);
  assert.deepEqual(again, { ...first, deliveryContext: { isRedelivery: true } });
});

test("a wrong signature is refused", async () => {
  await tell("/webhooks/raw", { body: '{"destination":"U0","events":[]}', signature: "wrong" });
  await assert.rejects(parse(await hears()), SignatureValidationFailed);
});
