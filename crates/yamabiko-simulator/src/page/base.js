// What all parts of the page share: where we are, calls of the control API, notices, and who does what.

const { dataset } = document.body;
export const chat = dataset.chat;
export const me = dataset.me ?? null;
export const inGroup = dataset.kind !== "user";
export const lang = document.documentElement.lang;
export const find = (selector) => document.querySelector(selector);

// What a button does, by its `data-do`; what a sent form does, by its `data-form`;
// what a changed field does, by its `data-change`.
export const deeds = {};
export const forms = {};
export const changes = {};

const notice = find("#notice");
let fading = null;

/** Says something at the top of the page; an empty text says no more. */
export function say(words, milliseconds = 5000) {
  notice.textContent = words;
  notice.hidden = !words;
  clearTimeout(fading);
  if (words && milliseconds) fading = setTimeout(() => say(""), milliseconds);
}

export const words = notice.dataset;

/** Calls the control API; gives its answer, and whether that is a good one. */
export async function ask(method, path, body, contentType = "application/json") {
  const options = { method };
  if (body !== undefined) {
    options.headers = { "content-type": contentType };
    options.body = contentType === "application/json" ? JSON.stringify(body) : body;
  }
  const answer = await fetch(`/control/${path}`, options).catch(() => null);
  const told = (await answer?.json().catch(() => null)) ?? {};
  return answer?.ok ? { ok: true, told } : { ok: false, error: told.error ?? answer?.status ?? "…" };
}

/** Calls the control API; gives its answer, or null after it has said what went wrong. */
export async function call(...request) {
  const { ok, told, error } = await ask(...request);
  if (ok) return told;
  say(`${words.refused}: ${error}`);
  return null;
}

export const post = (path, body) => call("POST", path, body);

/** A path of this chat; in a group it says who acts. */
export function here(path, query = {}) {
  const asked = new URLSearchParams(query);
  if (inGroup && me) asked.set("userId", me);
  return `chats/${chat}/${path}?${asked}`;
}

export const send = (message) => post(here("messages"), message);

/** Lets an event happen that the one who speaks causes. */
export const happen = (event) => post(here("events"), event);

/** Lets an event happen that has nobody who causes it, such as the bot's joining. */
export const happenToAll = (event) => post(`chats/${chat}/events`, event);

/** Opens a dialog. */
export function open(name) {
  find(`#dialog-${name}`).showModal();
}

deeds.open = (button) => open(button.dataset.dialog);
deeds.close = (button) => button.closest("dialog").close();
