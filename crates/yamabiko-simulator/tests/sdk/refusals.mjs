// LINE's SDK for Node tells refusals apart: by status, by LINE's sentence, by details.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  ALICE, SAKURA, api, chatOf, clientWith, refused, replyToken, says, tell, text,
} from "./world.mjs";

const MONTHLY = "You have reached your monthly limit.";
const push = (...messages) => api.pushMessage({ to: SAKURA, messages: messages.length > 0 ? messages : [text()] });

test("a wrong token is unauthorized", async () => {
  const stranger = clientWith("wrong");
  for (const call of [() => stranger.getBotInfo(), () => stranger.pushMessage({ to: SAKURA, messages: [text()] })]) {
    assert.match((await refused(401, call())).message, /Authentication failed/);
  }
});

test("details name what is wrong and where", async () => {
  const messages = [text("a".repeat(5_001)), text(""), text()];
  const calls = [
    () => push(...messages),
    () => api.multicast({ to: [SAKURA], messages }),
    () => api.broadcast({ messages }),
    () => api.validatePush({ messages }),
    async () => api.replyMessage({ replyToken: await replyToken(), messages }),
  ];
  for (const call of calls) {
    const said = await refused(400, call());
    assert.equal(said.message, "The request body has 2 error(s)");
    assert.deepEqual(said.details.map((one) => one.property), ["messages[0].text", "messages[1].text"]);
    assert.ok(said.details.every((one) => one.message));
  }
  assert.deepEqual((await chatOf(SAKURA)).filter((one) => one.from === "bot"), []);
});

test("a call has one to five messages", async () => {
  for (const messages of [[], Array(6).fill(text())]) {
    const said = await refused(400, api.pushMessage({ to: SAKURA, messages }));
    assert.equal(said.details[0].property, "messages");
  }
});

test("a reply token works once", async () => {
  const request = { replyToken: await replyToken(), messages: [text()] };
  await api.replyMessage(request);
  assert.equal((await refused(400, api.replyMessage(request))).message, "Invalid reply token");
  const unknown = { ...request, replyToken: "0".repeat(32) };
  assert.equal((await refused(400, api.replyMessage(unknown))).message, "Invalid reply token");
});

test("a reply token ages", async () => {
  const request = { replyToken: await replyToken(), messages: [text()] };
  await tell("/clock", { advanceSeconds: 61 });
  assert.equal((await refused(400, api.replyMessage(request))).message, "Invalid reply token");
});

test("a recipient must be an id", async () => {
  for (const to of ["alice", "U123", SAKURA.slice(1)]) {
    assert.match((await refused(400, api.pushMessage({ to, messages: [text()] }))).message, /'to'/);
  }
});

test("a quote token of another chat is refused", async () => {
  const { quoteToken } = (await says(ALICE, text("180"))).message;
  await refused(400, push({ ...text(), quoteToken }));
});

test("the monthly limit ends pushes and not replies", async () => {
  await tell("/settings", { monthlyLimit: 2 });
  await push();
  assert.equal((await refused(429, api.broadcast({ messages: [text()] }))).message, MONTHLY);
  await push();
  assert.equal((await refused(429, push())).message, MONTHLY);
  await api.replyMessage({ replyToken: await replyToken(), messages: [text()] });
  assert.deepEqual(await api.getMessageQuotaConsumption(), { totalUsage: 2 });
});

/** Meets a limit once: the call is refused, the next one is not. Returns LINE's sentence. */
async function limited(limit) {
  await tell("/faults", { endpoint: "push", limit, count: 1 });
  const { message } = await refused(429, push());
  assert.deepEqual(await chatOf(SAKURA), []);
  await push();
  return message;
}

test("a rate limit says to come back later", async () => {
  const said = await limited("rate");
  assert.equal(said, "The API rate limit has been exceeded. Try again later.");
});

test("too many messages to one user are another limit", async () => {
  const said = await limited("user");
  assert.notEqual(said, MONTHLY);
});

test("a spent quota can be a fault too", async () => {
  const said = await limited("quota");
  assert.equal(said, MONTHLY);
});

test("an error of LINE is an error of the SDK", async () => {
  await tell("/faults", { endpoint: "push", status: 500, count: 1 });
  await refused(500, push());
  assert.deepEqual(await chatOf(SAKURA), []);
});
