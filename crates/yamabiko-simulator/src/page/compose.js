// The composer: texts, quotes, edits, mentions, stickers.

import { call, chat, changes, deeds, find, happen, here, inGroup, send } from "./base.js";
import { toNewest } from "./live.js";

const composer = find("#composer");
const text = composer.elements.text;
const bar = find("#quoting");
const DRAFT = `draft ${chat}`;
const mentions = () => find("#mentions");

// What the bar above the text says: a quoted message, or one that is being edited.
let quoted = null;
let edited = null;

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 140)}px`;
}

export function write(words) {
  text.value = words;
  text.focus();
  wrote();
}

function wrote() {
  grow();
  sessionStorage.setItem(DRAFT, edited ? "" : text.value);
  offerMentions();
}

/** The message that the next one shall quote, which it then does. */
export function takeQuote() {
  const taken = quoted;
  closeBar();
  return taken;
}

function closeBar() {
  if (edited) write("");
  quoted = null;
  edited = null;
  bar.hidden = true;
}

function textOf(id) {
  const said = document.getElementById(`m-${id}`);
  return said?.querySelector("[data-testid=text]")?.textContent ?? "…";
}

function openBar(words) {
  bar.hidden = false;
  bar.querySelector(".what").textContent = words;
  text.focus();
}

deeds.quote = ({ dataset }) => {
  closeBar();
  quoted = dataset.id;
  openBar(textOf(quoted));
};

deeds.edit = ({ dataset }) => {
  closeBar();
  edited = dataset.id;
  openBar(bar.dataset.editing);
  write(textOf(edited));
};

deeds.unquote = closeBar;
deeds.unsend = ({ dataset }) => happen({ type: "unsend", messageId: dataset.id });

text.addEventListener("input", wrote);
text.addEventListener("keydown", (event) => {
  // While a word is being composed, Enter ends the word, not the message.
  if (event.isComposing || event.keyCode === 229) return;
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    composer.requestSubmit();
  } else if (event.key === "ArrowUp" && !mentions().hidden) {
    event.preventDefault();
    [...mentions().querySelectorAll("button:not([hidden])")].at(-1)?.focus();
  }
});

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = text.value;
  if (!words.trim()) return;
  const id = edited;
  const quotedMessageId = takeQuote() ?? undefined;
  write("");
  toNewest();
  const done = id
    ? await call("PUT", here(`messages/${id}`), { text: words })
    : await send({ type: "text", text: words, quotedMessageId });
  if (!done && !text.value) write(words);
});

// Mentions: after an @ and the beginning of a name.

const AT = /@([^\s@]*)$/;

function offerMentions() {
  const typed = inGroup ? AT.exec(text.value.slice(0, text.selectionStart))?.[1] : undefined;
  let any = false;
  for (const button of mentions().querySelectorAll("button")) {
    const { name } = button.dataset;
    const fits = typed !== undefined && name.toLowerCase().startsWith(typed.toLowerCase());
    button.hidden = !fits;
    any ||= fits;
  }
  mentions().hidden = !any;
}

deeds.mention = ({ dataset }) => {
  const until = text.selectionStart;
  const before = text.value.slice(0, until).replace(AT, `@${dataset.name} `);
  const after = text.value.slice(until);
  write(before + after);
  text.setSelectionRange(before.length, before.length);
  mentions().hidden = true;
};

// Stickers and all else that can be sent, above the text.

export function showPanel(name) {
  for (const button of composer.querySelectorAll("[data-do=panel]")) {
    const isOpen = button.dataset.panel === name;
    find(`#${button.dataset.panel}`).hidden = !isOpen;
    button.setAttribute("aria-expanded", String(isOpen));
  }
}

deeds.panel = ({ dataset }) => showPanel(find(`#${dataset.panel}`).hidden ? dataset.panel : null);

deeds.sticker = ({ dataset }) => {
  showPanel(null);
  toNewest();
  const message = { type: "sticker", packageId: dataset.package, stickerId: dataset.sticker };
  send({ ...message, quotedMessageId: takeQuote() ?? undefined });
};

document.addEventListener("click", (event) => {
  if (!event.target.closest("#composer")) showPanel(null);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || find("dialog[open]")) return;
  showPanel(null);
  closeBar();
  mentions().hidden = true;
  text.focus();
});

changes.speaker = ({ value }) => {
  const address = new URL(location.href);
  address.searchParams.set("user", chat);
  address.searchParams.set("as", value);
  location.replace(address);
};

// Somebody may have begun to write already.
text.value ||= sessionStorage.getItem(DRAFT) ?? "";
grow();
