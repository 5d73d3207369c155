// The stream of updates: puts what the server has drawn into its place, and keeps the place one reads.

import { chat, deeds, find, inGroup, lang, me, say, words } from "./base.js";
import { arrange, finish } from "./draw.js";

const messages = find("#messages");
const log = find("#log");
const scroll = find(".scroll");
const newest = find("#newest");
const MOST_MESSAGES = Math.max(500, messages.children.length + 100);
const MOST_ENTRIES = 300;

const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
const toEnd = (box) => { box.scrollTop = box.scrollHeight; };
let reading = false; // Whether one has scrolled up to read.
let before = 0; // Where one was before the last scrolling.

export function toNewest() {
  reading = false;
  newest.hidden = true;
  toEnd(scroll);
}

deeds.newest = toNewest;

scroll.addEventListener("scroll", () => {
  // What comes in makes the chat longer, too: only who moves up wants to stay there.
  if (isAtEnd(scroll)) reading = false;
  else if (scroll.scrollTop < before) reading = true;
  before = scroll.scrollTop;
  newest.hidden = !reading;
});
// Pictures arrive later than their messages, and the room for them changes with the window.
const follow = new ResizeObserver(() => { if (!reading) toEnd(scroll); });
follow.observe(messages);
follow.observe(scroll);

function place(piece) {
  const old = document.getElementById(piece.id);
  if (!old) {
    if (["messages", "log"].includes(piece.dataset.into)) piece.classList.add("new");
    document.getElementById(piece.dataset.into)?.append(piece);
    return;
  }
  if (old.isEqualNode(piece)) return;
  if (old.matches("details") && old.open) piece.open = true;
  if (piece.id === "mentions") piece.hidden = old.hidden;
  const focused = old.contains(document.activeElement) ? document.activeElement.dataset.testid : null;
  old.replaceWith(piece);
  if (focused) piece.querySelector(`[data-testid="${CSS.escape(focused)}"]`)?.focus();
}

function update(html) {
  const logAtEnd = isAtEnd(log);
  const template = document.createElement("template");
  // Drawn by the server, which escapes whatever users and bots have said.
  template.innerHTML = html;
  finish(template.content);
  for (const piece of [...template.content.children]) place(piece);
  while (messages.children.length > MOST_MESSAGES) messages.firstElementChild.remove();
  while (log.children.length > MOST_ENTRIES) log.firstElementChild.remove();
  arrange();
  if (!reading) toEnd(scroll);
  // One who speaks may have left the group: then somebody else does.
  if (inGroup && (find("#speaking option[selected]")?.value ?? null) !== me) reload();
  if (logAtEnd) toEnd(log);
}

let busy = false; // Whether something goes on that would end with the page.
let isDue = false; // Whether the page shall begin anew after that.

function reload() {
  if (busy) isDue = true;
  else location.reload();
}

/** Keeps the page as it is while something goes on that would end with it. */
export function stay(isBusy) {
  busy = isBusy;
  if (!busy && isDue) location.reload();
}

const speaker = me ? `&as=${me}` : "";
const stream = new EventSource(
  `/events/${chat}?lang=${lang}${speaker}&after=${document.body.dataset.cursor}`,
);
stream.addEventListener("update", (event) => update(event.data));
stream.addEventListener("reload", () => {
  stream.close(); // What it tells from now on is of another chat.
  reload();
});
stream.addEventListener("open", () => { say(""); document.body.dataset.live = "yes"; });
stream.addEventListener("error", () => { say(words.offline, 0); document.body.dataset.live = "no"; });

// Else a new message would come in again whenever its tab is shown.
document.addEventListener("animationend", (event) => event.target.classList.remove("new"));

export function show(view) {
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll("[data-show]")) {
    const pressed = tab.dataset.show === view || (view === "chat" && tab.dataset.testid === "side-log");
    tab.setAttribute("aria-pressed", String(pressed));
  }
  if (view === "log") toEnd(log);
  else if (view === "chat" && !reading) toEnd(scroll);
}

deeds.show = (button) => show(button.dataset.show);

deeds.filter = (button) => {
  log.dataset.filter = button.dataset.filter;
  for (const one of button.parentElement.children) {
    one.setAttribute("aria-pressed", String(one === button));
  }
  toEnd(log);
};

// A refresh comes back to where one was.
const PLACE = `place ${chat}`;

addEventListener("pagehide", () => {
  const at = reading ? scroll.scrollHeight - scroll.scrollTop : null;
  const { view } = document.body.dataset;
  sessionStorage.setItem(PLACE, JSON.stringify({ at, view, filter: log.dataset.filter }));
});

export function comeBack() {
  finish(document);
  arrange();
  const { at, view, filter } = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
  show(view ?? "chat");
  if (filter) find(`[data-filter="${filter}"][data-do]`)?.click();
  toEnd(log);
  reading = Boolean(at);
  newest.hidden = !reading;
  scroll.scrollTop = scroll.scrollHeight - (at ?? 0);
  find(".person.current")?.scrollIntoView({ block: "nearest", inline: "center" });
}
