// LINE's SDK for Node issues, verifies and revokes channel access tokens of all kinds.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HTTPFetchError, SECRET, TOKEN, clientWith, control, load, oauth, tell } from "./world.mjs";

const { SignJWT, generateKeyPair } = load("jose");
const CHANNEL = "1234567890";
const GRANT = "client_credentials";
const BY_JWT = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const MONTH = 30 * 24 * 60 * 60;
const HEADER = { alg: "RS256", typ: "JWT", kid: "536e453c-aa93-4449-8e58-add2608783c6" };
const { privateKey } = await generateKeyPair("RS256");
const now = async () => Math.floor((await control("GET", "/status")).body.now / 1000);

/** A JSON web token such as LINE wants, with some claims or headers changed. */
async function assertion(claims = {}, header = {}) {
  const exp = (await now()) + 1800;
  const usual = { iss: CHANNEL, sub: CHANNEL, aud: "https://api.line.me/", exp, token_exp: 86_400 };
  const protectedHeader = { ...HEADER, ...header };
  const key = protectedHeader.alg === "RS256" ? privateKey : Buffer.alloc(32);
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader(protectedHeader).sign(key);
}

/** Tells whether a token opens LINE's API. */
async function works(token) {
  try {
    await clientWith(token).getBotInfo();
    return true;
  } catch (error) {
    assert.equal(error.status, 401);
    return false;
  }
}

async function denied(call) {
  const error = await call.then(() => assert.fail("was not denied"), (error) => error);
  assert.ok(error instanceof HTTPFetchError, error);
  assert.equal(error.status, 400, error.body);
  assert.ok(JSON.parse(error.body).error);
}

const byJwt = async (claims, header) => oauth.issueChannelTokenByJWT(GRANT, BY_JWT, await assertion(claims, header));
const shortLived = () => oauth.issueChannelToken(GRANT, CHANNEL, SECRET);
const keyIds = async () => (await oauth.getsAllValidChannelAccessTokenKeyIds(BY_JWT, await assertion())).kids;

test("a stateless token lives for 15 minutes", async () => {
  const { access_token: token, ...about } = await oauth.issueStatelessChannelTokenByClientSecret(CHANNEL, SECRET);
  assert.deepEqual(about, { token_type: "Bearer", expires_in: 900 });
  assert.ok(await works(token));
  await tell("/clock", { advanceSeconds: 900 });
  assert.ok(!(await works(token)));
});

test("a stateless token is issued for a JSON web token too and never revoked", async () => {
  const issued = await oauth.issueStatelessChannelTokenByJWTAssertion(await assertion());
  assert.equal(issued.expires_in, 900);
  await oauth.revokeChannelToken(issued.access_token);
  assert.ok(await works(issued.access_token));
});

test("a wrong secret gets no token", async () => {
  await denied(oauth.issueStatelessChannelTokenByClientSecret(CHANNEL, "wrong"));
  await denied(oauth.issueChannelToken(GRANT, CHANNEL, "wrong"));
  await denied(oauth.issueChannelToken("password", CHANNEL, SECRET));
});

test("a short-lived token is issued, verified and revoked", async () => {
  const { access_token: token, ...about } = await shortLived();
  assert.deepEqual(about, { token_type: "Bearer", expires_in: MONTH });
  assert.ok(await works(token));
  const verified = await oauth.verifyChannelToken(token);
  assert.equal(verified.client_id, CHANNEL);
  assert.ok(verified.expires_in > MONTH - 60 && verified.expires_in <= MONTH);
  await oauth.revokeChannelToken(token);
  assert.ok(!(await works(token)));
  await denied(oauth.verifyChannelToken(token));
});

test("the 31st short-lived token ends the first", async () => {
  const first = await shortLived();
  await tell("/clock", { advanceSeconds: 1 });
  let last;
  for (let n = 0; n < 30; n += 1) last = await shortLived();
  assert.deepEqual([await works(first.access_token), await works(last.access_token)], [false, true]);
});

test("a token of version 2.1 is issued, verified and revoked", async () => {
  const { access_token: token, expires_in: seconds } = await byJwt();
  assert.equal(seconds, 86_400);
  const verified = await oauth.verifyChannelTokenByJWT(token);
  assert.equal(verified.client_id, CHANNEL);
  assert.ok(verified.expires_in > seconds - 60 && verified.expires_in <= seconds);
  await denied(oauth.revokeChannelTokenByJWT(CHANNEL, "wrong", token));
  assert.ok(await works(token));
  await oauth.revokeChannelTokenByJWT(CHANNEL, SECRET, token);
  assert.ok(!(await works(token)));
  await denied(oauth.verifyChannelTokenByJWT(token));
});

test("key ids name the valid tokens of version 2.1", async () => {
  const issued = [await byJwt(), await byJwt()];
  await shortLived();
  assert.deepEqual((await keyIds()).sort(), issued.map((one) => one.key_id).sort());
  await oauth.revokeChannelTokenByJWT(CHANNEL, SECRET, issued[0].access_token);
  assert.deepEqual(await keyIds(), [issued[1].key_id]);
});

test("no more than 30 tokens of version 2.1 are issued", async () => {
  for (let n = 0; n < 30; n += 1) await byJwt();
  await denied(byJwt());
});

test("a JSON web token with a wrong claim gets no token", async () => {
  const at = await now();
  for (const wrong of [
    { iss: "1" }, { sub: "1" }, { aud: "https://example.com/" }, { exp: at - 1 }, { exp: at + 1900 },
    { token_exp: MONTH + 1 }, { token_exp: "soon" },
  ]) {
    await denied(byJwt(wrong));
  }
});

test("a JSON web token of another kind gets no token", async () => {
  for (const wrong of [{ alg: "HS256" }, { kid: "" }, { typ: undefined }]) await denied(byJwt({}, wrong));
});

test("the channel's long-lived token is verified", async () => {
  const verified = await oauth.verifyChannelToken(TOKEN);
  assert.equal(verified.client_id, CHANNEL);
  assert.ok(verified.expires_in > 0);
});

test("what is no token is not verified", async () => {
  await denied(oauth.verifyChannelToken("wrong"));
  await denied(oauth.verifyChannelTokenByJWT("wrong"));
});
