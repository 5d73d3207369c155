// LINE's SDK for Node looks after the bot's own affairs: who it is, its webhook, loading, marks of reading.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";

import {
  BOT, GROUP, SAKURA, SECRET, api, bot, chatOf, control, hears, refused, says, tell, text, validateSignature,
} from "./world.mjs";

test("the bot knows itself", async () => {
  const info = await api.getBotInfo();
  assert.equal(info.userId, (await control("GET", "/status")).body.botUserId);
  assert.deepEqual([info.displayName, info.basicId[0]], ["Bot", "@"]);
  assert.deepEqual([info.chatMode, info.markAsReadMode], ["bot", "auto"]);
  await tell("/settings", { markAsReadMode: "manual" });
  const { chatMode, markAsReadMode } = await api.getBotInfo();
  assert.deepEqual([chatMode, markAsReadMode], ["chat", "manual"]);
});

test("the webhook's address is set and got", async () => {
  const endpoint = `${BOT}/other`;
  await api.setWebhookEndpoint({ endpoint });
  assert.deepEqual(await api.getWebhookEndpoint(), { endpoint, active: true });
  for (const wrong of ["ftp://example.com/", `https://example.com/${"a".repeat(500)}`, ""]) {
    await refused(400, api.setWebhookEndpoint({ endpoint: wrong }));
  }
});

test("a webhook that is off or not set is told", async () => {
  await api.setWebhookEndpoint({ endpoint: BOT });
  await tell("/settings", { webhook: "off" });
  assert.deepEqual(await api.getWebhookEndpoint(), { endpoint: BOT, active: false });
  await tell("/settings", { webhook: "unset" });
  await refused(404, api.getWebhookEndpoint());
  await refused(404, api.testWebhookEndpoint());
});

test("a test of the webhook is signed and empty", async () => {
  const { timestamp, ...result } = await api.testWebhookEndpoint({ endpoint: BOT });
  assert.deepEqual(result, { success: true, statusCode: 200, reason: "OK", detail: "200" });
  assert.match(timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const { body, signature } = await hears();
  assert.ok(validateSignature(body, SECRET, signature));
  assert.deepEqual(JSON.parse(body), { destination: (await api.getBotInfo()).userId, events: [] });
});

test("a test without an address takes the one that is set", async () => {
  assert.equal((await api.testWebhookEndpoint()).success, true);
  await hears();
});

test("a test says how the webhook failed", async () => {
  bot.status = 500;
  const failed = await api.testWebhookEndpoint();
  assert.deepEqual([failed.success, failed.statusCode, failed.reason], [false, 500, "ERROR_STATUS_CODE"]);
  const closed = createServer().listen(0, "127.0.0.1");
  await once(closed, "listening");
  const { port } = closed.address();
  await new Promise((done) => closed.close(done));
  const nobody = await api.testWebhookEndpoint({ endpoint: `http://127.0.0.1:${port}/` });
  assert.deepEqual([nobody.success, nobody.statusCode, nobody.reason], [false, 0, "COULD_NOT_CONNECT"]);
});

const loading = async () => (await control("GET", `/chats/${SAKURA}`)).body.loading;

test("the loading animation is shown until the bot speaks", async () => {
  const answer = await api.showLoadingAnimationWithHttpInfo({ chatId: SAKURA, loadingSeconds: 5 });
  assert.deepEqual([answer.httpResponse.status, answer.body], [202, {}]);
  assert.ok(await loading());
  await api.pushMessage({ to: SAKURA, messages: [text()] });
  assert.equal(await loading(), null);
});

test("the loading animation ends by itself and lasts 20 seconds by default", async () => {
  await api.showLoadingAnimation({ chatId: SAKURA });
  await tell("/clock", { advanceSeconds: 18 });
  assert.ok(await loading());
  await tell("/clock", { advanceSeconds: 2 });
  assert.equal(await loading(), null);
});

test("the loading animation is for one user and for whole fives", async () => {
  await refused(400, api.showLoadingAnimation({ chatId: GROUP, loadingSeconds: 5 }));
  for (const loadingSeconds of [0, 7, 65]) {
    await refused(400, api.showLoadingAnimation({ chatId: SAKURA, loadingSeconds }));
  }
});

test("a mark of reading covers all messages before", async () => {
  await tell("/settings", { markAsReadMode: "manual" });
  const tokens = [];
  for (const word of "abc") tokens.push((await says(SAKURA, text(word))).message.markAsReadToken);
  const read = async () => (await chatOf(SAKURA)).map((message) => message.read);
  assert.deepEqual(await read(), [false, false, false]);
  await api.markMessagesAsReadByToken({ markAsReadToken: tokens[1] });
  assert.deepEqual(await read(), [true, true, false]);
  await refused(400, api.markMessagesAsReadByToken({ markAsReadToken: "wrong" }));
});
