// LINE's SDK for Node meets the faults of the simulator: calls that fail or break, webhooks that come oddly.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { beforeEach, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";

import { HTTPFetchError, SAKURA, SECRET, api, bot, control, hears, middleware, refused, tell, text } from "./world.mjs";

const read = middleware({ channelSecret: SECRET });
const fault = (what, endpoint = "push") => tell("/faults", { endpoint, ...what });
const push = (key) => api.pushMessageWithHttpInfo({ to: SAKURA, messages: [text()] }, key);
const ledger = async () => (await control("GET", "/ledger")).body.messages;

/** The clock stands, so that only the tests move it. */
beforeEach(() => tell("/clock", { stands: true }));
const moves = (advanceSeconds) => tell("/clock", { advanceSeconds });

/** Pushes; returns whether LINE has accepted it. */
async function succeeds() {
  const error = await push().then(() => undefined, (reason) => reason);
  assert.ok(error === undefined || (error instanceof HTTPFetchError && error.status === 500), error);
  return error === undefined;
}

/** Lets the user write a text; with `wait`, returns with the bot's answer to the webhook. */
const says = (words, wait) => tell(`/chats/${SAKURA}/messages${wait ? "?wait=webhook" : ""}`, text(words));

/** Hears the next webhook as the SDK's middleware gives it to a bot. */
async function heard(words, isRedelivery = false) {
  const { body, signature } = await hears();
  const event = await new Promise((resolve, reject) => {
    const request = { headers: { "x-line-signature": signature }, body };
    read(request, {}, (error) => (error ? reject(error) : resolve(request.body.events[0])));
  });
  assert.deepEqual([event.message.text, event.deliveryContext], [words, { isRedelivery }]);
  return event;
}

test("a status is the SDK's error of that status and the call does nothing", async () => {
  for (const [status, sentence] of [[500, /Internal/], [401, /Authentication failed/], [403, /not available/]]) {
    await fault({ status, count: 1 });
    assert.match((await refused(status, push())).message, sentence);
  }
  assert.deepEqual(await ledger(), []);
});

/** Waits for an answer as long as a bot might that has no time. */
const impatiently = (call) => Promise.race([call, delay(300).then(() => assert.fail("no answer"))]);

for (const [what, error] of [["reset", /fetch failed/], ["timeout", /no answer/]]) {
  for (const moment of ["before", "after"]) {
    test(`a call that met a ${what} ${moment} its acceptance is said once when repeated`, async () => {
      const key = randomUUID();
      await fault({ [what]: moment, count: 1 });
      const last = (await control("GET", "/log")).body.count;
      await assert.rejects(impatiently(push(key)), error);
      // However soon the bot has given up: the call has come, and met its fault.
      await control("GET", `/log?after=${last}&wait_ms=20000`);
      if (moment === "before") {
        assert.deepEqual(await ledger(), []);
        await push(key);
      } else {
        await control("GET", `/chats/${SAKURA}?after=0&wait_ms=20000`);
      }
      const { headers, sentMessages } = await refused(409, push(key));
      const [one, ...more] = await ledger();
      assert.deepEqual([one.retryKey, more], [key, []]);
      assert.equal(headers.get("x-line-accepted-request-id"), one.requestId);
      assert.deepEqual(sentMessages.map(({ id }) => id), [one.id]);
    });
  }
}

test("a slow answer comes and what was sent is said", async () => {
  await fault({ delayMs: 100, count: 1 });
  const start = performance.now();
  await push();
  assert.ok(performance.now() - start >= 100);
  assert.equal((await ledger()).length, 1);
});

test("the same seed lets the same calls succeed, and a count ends a fault", async () => {
  const pattern = async (seed) => {
    await fault({ status: 500, rate: 0.5, seed });
    const successes = [];
    while (successes.length < 32) successes.push(await succeeds());
    await control("DELETE", "/faults");
    return successes;
  };
  const first = await pattern(7);
  assert.equal(new Set(first).size, 2);
  assert.deepEqual(await pattern(7), first);
  assert.notDeepEqual(await pattern(8), first);
  await fault({ status: 500, count: 1 });
  assert.deepEqual([await succeeds(), await succeeds()], [false, true]);
});

test("a duplicate has the same id and is no redelivery", async () => {
  await fault({ duplicate: 1, count: 1 }, "callback");
  const { webhookEventId } = await says("180");
  const first = await heard("180");
  assert.equal(first.webhookEventId, webhookEventId);
  assert.deepEqual(await heard("180"), first);
});

test("reordered webhooks come with the later time stamp first", async () => {
  // The delay lets time pass between the two.
  await fault({ reorder: true, delayMs: 3_000, count: 1 }, "callback");
  await says("first");
  await moves(2);
  await says("second");
  await moves(1);
  const later = await heard("second");
  assert.equal(later.timestamp - (await heard("first")).timestamp, 2_000);
});

test("a lost webhook comes as a redelivery with its id", async () => {
  await fault({ lose: true, count: 1 }, "callback");
  const { webhookEventId, webhook } = await says("180", true);
  assert.equal(webhook.reason, "lost");
  await moves(1);
  assert.equal((await heard("180", true)).webhookEventId, webhookEventId);
});

test("a webhook that was answered 500 comes again", async () => {
  bot.status = 500;
  assert.equal((await says("180", true)).webhook.reason, "error_status_code");
  const first = await heard("180");
  bot.status = 200;
  await moves(1);
  assert.deepEqual(await heard("180", true), { ...first, deliveryContext: { isRedelivery: true } });
});
