// LINE's SDK for Node sends to many, with retry keys, and learns what was sent and what may be sent.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";

import {
  ALICE, GROUP, KENTA, SAKURA, TOKEN, api, chatOf, clientWith, control, happens, refused, replyToken, requestId, tell, text,
} from "./world.mjs";

const messages = [text()];
const DAY = { advanceSeconds: 24 * 60 * 60 };

test("a multicast reaches whom it names and no other", async () => {
  await api.multicast({ to: [SAKURA, KENTA], messages });
  const shown = [...(await chatOf(SAKURA)), ...(await chatOf(KENTA))];
  assert.deepEqual(shown.map((one) => one.via), ["multicast", "multicast"]);
  assert.deepEqual(await chatOf(ALICE), []);
});

test("a broadcast reaches all friends", async () => {
  await happens(KENTA, { type: "unfollow" });
  await api.broadcast({ messages });
  const counts = await Promise.all([SAKURA, ALICE, KENTA].map(async (user) => (await chatOf(user)).length));
  assert.deepEqual(counts, [1, 1, 0]);
});

test("a narrowcast is accepted and its progress counts users", async () => {
  const filter = { demographic: { type: "gender", oneOf: ["male", "female"] } };
  const answer = await api.narrowcastWithHttpInfo({ messages: [text(), text("again")], filter, limit: { max: 100 } });
  assert.equal(answer.httpResponse.status, 202);
  const progress = await api.getNarrowcastProgress(requestId(answer));
  assert.deepEqual([progress.phase, progress.targetCount], ["succeeded", 3]);
  assert.deepEqual([progress.successCount, progress.failureCount], [3, 0]);
  for (const time of [progress.acceptedTime, progress.completedTime]) {
    assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }
});

test("only a narrowcast has a progress", async () => {
  const broadcast = requestId(await api.broadcastWithHttpInfo({ messages }));
  for (const id of [broadcast, randomUUID()]) await refused(404, api.getNarrowcastProgress(id));
});

test("a retry key is accepted once and names the request that was", async () => {
  const requests = {
    pushMessageWithHttpInfo: { to: SAKURA, messages },
    multicastWithHttpInfo: { to: [SAKURA], messages },
    broadcastWithHttpInfo: { messages },
    narrowcastWithHttpInfo: { messages },
  };
  for (const [send, request] of Object.entries(requests)) {
    const key = randomUUID();
    const before = (await chatOf(SAKURA)).length;
    const first = await api[send](request, key);
    const said = await refused(409, api[send](request, key));
    assert.equal(said.message, "The retry key is already accepted");
    assert.equal(said.headers.get("x-line-accepted-request-id"), requestId(first));
    assert.equal((await chatOf(SAKURA, before)).length, 1, send);
    assert.deepEqual(said.sentMessages, first.body.sentMessages);
  }
});

test("a retry key is new again after 24 hours", async () => {
  const key = randomUUID();
  await api.pushMessage({ to: SAKURA, messages }, key);
  await tell("/clock", DAY);
  await api.pushMessage({ to: SAKURA, messages }, key);
  assert.equal((await chatOf(SAKURA)).length, 2);
});

test("a retry key that is no UUID is refused", () => refused(400, api.pushMessage({ to: SAKURA, messages }, "once")));

test("a retry key is refused by all other calls", async () => {
  const withKey = clientWith(TOKEN, { "X-Line-Retry-Key": randomUUID() });
  await refused(400, withKey.replyMessage({ replyToken: await replyToken(), messages }));
  await refused(400, withKey.getBotInfo());
});

test("the quota is without a limit until there is one", async () => {
  assert.deepEqual(await api.getMessageQuota(), { type: "none" });
  await tell("/settings", { monthlyLimit: 200 });
  assert.deepEqual(await api.getMessageQuota(), { type: "limited", value: 200 });
});

test("the consumption counts recipients and no replies", async () => {
  await api.pushMessage({ to: GROUP, messages: [text(), text("again")] });
  assert.deepEqual(await api.getMessageQuotaConsumption(), { totalUsage: 3 });
  await api.replyMessage({ replyToken: await replyToken(), messages });
  await api.multicast({ to: [SAKURA, ALICE], messages });
  assert.deepEqual(await api.getMessageQuotaConsumption(), { totalUsage: 5 });
});

test("deliveries are counted by kind when the day is over", async () => {
  const { now } = (await control("GET", "/status")).body;
  // LINE counts the days of Japan.
  const day = new Date(now + 9 * 60 * 60 * 1000).toISOString().slice(0, 10).replaceAll("-", "");
  await api.pushMessage({ to: SAKURA, messages });
  await api.replyMessage({ replyToken: await replyToken(), messages });
  await api.multicast({ to: [SAKURA, ALICE], messages });
  await api.broadcast({ messages });
  const counts = { Push: 1, Reply: 1, Multicast: 2, Broadcast: 3 };
  const sent = (kind, on) => api[`getNumberOfSent${kind}Messages`](on);
  for (const kind of Object.keys(counts)) {
    assert.deepEqual(await sent(kind, day), { status: "unready" });
    assert.deepEqual(await sent(kind, "20180330"), { status: "out_of_service" });
  }
  await tell("/clock", DAY);
  for (const [kind, success] of Object.entries(counts)) {
    assert.deepEqual(await sent(kind, day), { status: "ready", success });
  }
});
