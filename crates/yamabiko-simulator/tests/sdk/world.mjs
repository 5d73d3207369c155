// What the Node scripts share: the simulator's control API, a bot that keeps what it hears, and LINE's SDK.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { buffer } from "node:stream/consumers";
import { after, beforeEach } from "node:test";

export const { SIMULATOR, SECRET, TOKEN, PACKAGES } = process.env;
export const [SAKURA, ALICE, KENTA] = ["1", "2", "3"].map((digit) => "U" + digit.repeat(32));
export const GROUP = "C" + "1".repeat(32);
const PATIENCE = 20_000;

/** Loads a package from the folder where the tests' packages are installed. */
export const load = createRequire(`${PACKAGES}/`);
export const { HTTPFetchError, LineBotClient, channelAccessToken, middleware, validateSignature } = load("@line/bot-sdk");

/** Calls the control API and returns the status and the answer. */
export async function control(method, path, body, type = "application/json") {
  const sent = body === undefined || body instanceof Uint8Array ? body : JSON.stringify(body);
  const signal = AbortSignal.timeout(PATIENCE);
  const headers = { "content-type": type };
  const answer = await fetch(`${SIMULATOR}/control${path}`, { method, body: sent, headers, signal });
  return { status: answer.status, body: await answer.json() };
}

/** Posts to the control API, which must agree. */
export async function tell(path, body = {}) {
  const answer = await control("POST", path, body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
}

/** Returns the messages of a chat after the first `after`. */
export async function chatOf(chatId, after = 0) {
  return (await control("GET", `/chats/${chatId}?after=${after}`)).body.messages;
}

/** Answers webhooks with `status` and keeps their bodies and signatures. */
export const bot = { status: 200, heard: [], waiting: [] };

const server = createServer(async (request, response) => {
  const heard = { body: await buffer(request), signature: request.headers["x-line-signature"] };
  const next = bot.waiting.shift();
  if (next) next(heard);
  else bot.heard.push(heard);
  response.writeHead(bot.status).end();
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
after(() => {
  server.close();
  // The simulator keeps its connections for the next webhook.
  server.closeAllConnections();
});
export const BOT = `http://127.0.0.1:${server.address().port}/callback`;

/** Waits for the next webhook; returns its body and its signature. */
export function hears() {
  if (bot.heard.length > 0) return bot.heard.shift();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no webhook came")), PATIENCE);
    bot.waiting.push((heard) => {
      clearTimeout(timer);
      resolve(heard);
    });
  });
}

/** LINE's SDK with its addresses overridden. */
export function clientWith(token, defaultHeaders = {}) {
  const addresses = { apiBaseURL: SIMULATOR, dataApiBaseURL: SIMULATOR };
  return LineBotClient.fromChannelAccessToken({ channelAccessToken: token, defaultHeaders, ...addresses });
}
export const api = clientWith(TOKEN);
export const oauth = new channelAccessToken.ChannelAccessTokenClient({ baseURL: SIMULATOR });

/** Each test begins with a simulator that begins anew. */
beforeEach(async () => {
  await tell("/reset");
  bot.status = 200;
  await api.setWebhookEndpoint({ endpoint: BOT });
  bot.heard.length = 0;
});

export const text = (words = "hi") => ({ type: "text", text: words });

/** Lets a user say something; returns the event as the bot hears it. */
export async function says(chatId, message, userId) {
  await tell(`/chats/${chatId}/messages${userId ? `?userId=${userId}` : ""}`, message);
  return JSON.parse((await hears()).body).events[0];
}

/** Lets something happen in a chat; returns the event as the bot hears it. */
export async function happens(chatId, event) {
  await tell(`/chats/${chatId}/events`, event);
  return JSON.parse((await hears()).body).events[0];
}

/** Adds a group or a room, and waits until the bot has heard that it is in it. */
export async function addGroup(group) {
  const added = await tell("/groups", group);
  await hears();
  return added;
}

export const replyToken = async () => (await says(SAKURA, text("hello"))).replyToken;

/** Awaits a call that must be refused; returns the SDK's error with its body read. */
export async function refused(status, call) {
  const error = await call.then(() => assert.fail("was not refused"), (error) => error);
  assert.ok(error instanceof HTTPFetchError, error);
  assert.equal(error.status, status, error.body);
  assert.ok(error.headers.get("x-line-request-id"));
  return { headers: error.headers, ...JSON.parse(error.body) };
}

/** The id that LINE gave a call. */
export const requestId = (answer) => answer.httpResponse.headers.get("x-line-request-id");
