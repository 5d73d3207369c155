// LINE's SDK for Node downloads what users send: pictures, videos, audio, files, and their previews.

import assert from "node:assert/strict";
import { buffer } from "node:stream/consumers";
import { test } from "node:test";

import { SAKURA, api, control, happens, hears, refused, says, tell, text } from "./world.mjs";

const picture = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 0xff, 0xd9]);
const film = Buffer.from("\0\0\0\x18ftypmp42 a film");

/** Lets a user send bytes; returns the message's id. */
async function sends(type, content, about = {}) {
  const path = `/chats/${SAKURA}/media?${new URLSearchParams({ type, ...about })}`;
  const answer = await control("POST", path, content, "application/octet-stream");
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  await hears();
  return answer.body.messageId;
}

/** Downloads; returns the status, the type and the bytes. */
async function download(call) {
  const { httpResponse, body } = await call;
  return { status: httpResponse.status, type: httpResponse.headers.get("content-type"), bytes: await buffer(body) };
}

test("a picture is downloaded byte for byte", async () => {
  const id = await sends("image", picture);
  const expected = { status: 200, type: "image/jpeg", bytes: picture };
  assert.deepEqual(await download(api.getMessageContentWithHttpInfo(id)), expected);
  assert.deepEqual(await download(api.getMessageContentPreviewWithHttpInfo(id)), expected);
});

test("a file is downloaded byte for byte", async () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  const id = await sends("file", all, { fileName: "all.bin", contentType: "application/pdf" });
  const expected = { status: 200, type: "application/pdf", bytes: all };
  assert.deepEqual(await download(api.getMessageContentWithHttpInfo(id)), expected);
  await refused(404, api.getMessageContentPreview(id));
});

test("a video and an audio are prepared first", async () => {
  await tell("/settings", { preparingMs: 60_000 });
  for (const [type, content] of [["video", film], ["audio", Buffer.from("a song")]]) {
    const id = await sends(type, content, { durationMs: 3_000 });
    assert.deepEqual(await api.getMessageContentTranscodingByMessageId(id), { status: "processing" });
    assert.equal((await download(api.getMessageContentWithHttpInfo(id))).status, 202);
    await tell("/clock", { advanceSeconds: 60 });
    assert.deepEqual(await api.getMessageContentTranscodingByMessageId(id), { status: "succeeded" });
    assert.deepEqual(await buffer(await api.getMessageContent(id)), content);
  }
});

test("the preview of a video is a picture", async () => {
  const { type, bytes } = await download(api.getMessageContentPreviewWithHttpInfo(await sends("video", film)));
  assert.deepEqual([type, bytes.subarray(1, 4).toString()], ["image/png", "PNG"]);
});

test("content that never was is not found", async () => {
  const { id } = (await says(SAKURA, text("180"))).message;
  for (const message of ["561000000000999999", id]) {
    await refused(404, api.getMessageContent(message));
    await refused(404, api.getMessageContentPreview(message));
    await refused(404, api.getMessageContentTranscodingByMessageId(message));
  }
});

test("content that was taken back is gone", async () => {
  const messageId = await sends("image", picture);
  await happens(SAKURA, { type: "unsend", messageId });
  assert.equal((await refused(410, api.getMessageContent(messageId))).message, "The content is gone");
});
