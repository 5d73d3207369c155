// LINE's SDK for Node sends every type of message by reply and by push, quotes, mentions and has all validated.

import assert from "node:assert/strict";
import { test } from "node:test";

import { isQuotable, samples } from "./samples.mjs";
import { ALICE, GROUP, SAKURA, api, chatOf, replyToken, requestId, says, text } from "./world.mjs";

/** Sends each sample; it must stand in the chat as it was given to the SDK. */
async function arrives(send, via) {
  for (const [name, message] of Object.entries(samples)) {
    const before = (await chatOf(SAKURA)).length;
    const { sentMessages } = await send(message);
    const shown = (await chatOf(SAKURA, before)).filter((one) => one.from === "bot");
    assert.deepEqual(shown.map((one) => one.id), sentMessages.map((one) => one.id), name);
    assert.equal(shown[0].via, via, name);
    assert.deepEqual(shown[0].message, message, name);
    assert.equal(sentMessages[0].quoteToken !== undefined, isQuotable(name), name);
  }
}

test("every type of message is pushed", () =>
  arrives((message) => api.pushMessage({ to: SAKURA, messages: [message] }), "push"));

test("every type of message is replied", () =>
  arrives(async (message) => api.replyMessage({ replyToken: await replyToken(), messages: [message] }), "reply"));

test("five messages go in one call and keep their order", async () => {
  const { sentMessages } = await api.pushMessage({ to: SAKURA, messages: [..."01234"].map(text) });
  const shown = await chatOf(SAKURA);
  assert.deepEqual(shown.map((one) => one.text), [..."01234"]);
  assert.deepEqual(shown.map((one) => one.id), sentMessages.map((one) => one.id));
});

test("a reply quotes a message of the user and of the bot", async () => {
  const event = await says(SAKURA, text("180"));
  const quoting = { ...text("yes"), quoteToken: event.message.quoteToken };
  const { sentMessages } = await api.replyMessage({ replyToken: event.replyToken, messages: [quoting] });
  const own = { type: "textV2", text: "again", quoteToken: sentMessages[0].quoteToken };
  await api.pushMessage({ to: SAKURA, messages: [own] });
  const [, first, second] = await chatOf(SAKURA);
  assert.equal(first.quotedMessageId, event.message.id);
  assert.equal(second.quotedMessageId, sentMessages[0].id);
});

test("a message to a group mentions one and all", async () => {
  const mention = (mentionee) => ({ type: "mention", mentionee });
  const substitution = { who: mention({ type: "user", userId: ALICE }), all: mention({ type: "all" }) };
  const message = { type: "textV2", text: "{who}, {all}: lunch", substitution };
  await api.pushMessage({ to: GROUP, messages: [message] });
  assert.deepEqual((await chatOf(GROUP))[0].message, message);
});

test("every type of message is valid for every way of sending", async () => {
  for (const way of ["Reply", "Push", "Multicast", "Narrowcast", "Broadcast"]) {
    for (const message of Object.values(samples)) await api[`validate${way}`]({ messages: [message] });
  }
  assert.deepEqual(await chatOf(SAKURA), []);
});

test("a call names itself in the answer and in the chat", async () => {
  const answer = await api.broadcastWithHttpInfo({ messages: [text()] });
  assert.equal(answer.httpResponse.status, 200);
  assert.equal((await chatOf(ALICE))[0].requestId, requestId(answer));
});
