// Sends what is typed or tapped, and puts the server's updates into their places.

const user = document.body.dataset.user;
const lang = document.documentElement.lang;
const find = (selector) => document.querySelector(selector);
const messages = find("#messages");
const log = find("#log");
const scroll = find(".scroll");
const composer = find("#composer");
const text = composer.elements.text;
const MOST_MESSAGES = 500;
const MOST_ENTRIES = 300;

// Times, in the reader's own zone.

const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const precise = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat(lang, { month: "long", day: "numeric", weekday: "short" });

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[data-at]")) {
    const at = new Date(Number(time.dataset.at));
    time.dateTime = at.toISOString();
    time.textContent = ("seconds" in time.dataset ? precise : clock).format(at);
  }
}

function tellDays() {
  let before = "";
  for (const message of messages.querySelectorAll(".message")) {
    const today = day.format(new Date(Number(message.dataset.at)));
    const separator = message.previousElementSibling;
    const marked = separator?.classList.contains("day");
    if (today !== before && !marked) {
      const mark = document.createElement("li");
      mark.className = "day";
      mark.textContent = today;
      message.before(mark);
    }
    before = today;
  }
}

// Updates.

const isAtEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 80;
const toEnd = (box) => { box.scrollTop = box.scrollHeight; };

function place(piece) {
  const old = document.getElementById(piece.id);
  if (old) {
    if (old.matches("details") && old.open) piece.open = true;
    old.replaceWith(piece);
  } else {
    if (piece.dataset.into === "messages" || piece.dataset.into === "log") piece.classList.add("new");
    document.getElementById(piece.dataset.into)?.append(piece);
  }
}

function update(html) {
  const boxes = [scroll, log].filter(isAtEnd);
  const template = document.createElement("template");
  template.innerHTML = html;
  tellTimes(template.content);
  for (const piece of [...template.content.children]) place(piece);
  while (messages.children.length > MOST_MESSAGES) messages.firstElementChild.remove();
  while (log.children.length > MOST_ENTRIES) log.firstElementChild.remove();
  tellDays();
  boxes.forEach(toEnd);
}

const notice = find("#notice");

function say(words) {
  notice.textContent = words;
  notice.hidden = !words;
}

const stream = new EventSource(`/events/${user}?lang=${lang}&after=${document.body.dataset.cursor}`);
stream.addEventListener("update", (event) => update(event.data));
stream.addEventListener("reload", () => location.reload());
stream.addEventListener("open", () => { say(""); document.body.dataset.live = "yes"; });
stream.addEventListener("error", () => { say(notice.dataset.offline); document.body.dataset.live = "no"; });

// What the user does.

async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => null);
  if (answer?.ok) return true;
  const reason = await answer?.json().catch(() => null);
  say(`${notice.dataset.refused}${reason?.error ? `: ${reason.error}` : ""}`);
  setTimeout(() => say(""), 5000);
  return false;
}

const send = (message) => {
  toEnd(scroll);
  return post(`/control/chats/${user}/messages`, message);
};
const happen = (event) => post(`/control/chats/${user}/events`, event);

let quoted = null;

function quote(id) {
  quoted = id;
  const bar = find("#quoting");
  bar.hidden = !id;
  if (!id) return;
  const message = document.getElementById(`m-${id}`);
  bar.querySelector(".what").textContent = message?.querySelector(".bubble > .text")?.textContent ?? "…";
  text.focus();
}

function showStickers(open) {
  const atEnd = isAtEnd(scroll);
  find("#stickers").hidden = !open;
  find("[data-testid=sticker-open]").setAttribute("aria-expanded", String(open));
  if (atEnd) toEnd(scroll);
}

function grow() {
  text.style.height = "auto";
  text.style.height = `${Math.min(text.scrollHeight, 140)}px`;
}

text.addEventListener("input", grow);
text.addEventListener("keydown", (event) => {
  // While a word is being composed, Enter ends the word, not the message.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  composer.requestSubmit();
});

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  const words = text.value;
  if (!words.trim()) return;
  const message = { type: "text", text: words };
  if (quoted) message.quotedMessageId = quoted;
  text.value = "";
  grow();
  quote(null);
  if (!await send(message) && !text.value) text.value = words;
});

function tap(action) {
  if (action.type === "message") return send({ type: "text", text: action.text });
  if (action.type === "postback") {
    const event = { type: "postback", data: action.data };
    const shown = action.displayText ?? action.text;
    return happen(shown ? { ...event, displayText: shown } : event);
  }
  if (action.type === "uri") return window.open(action.uri, "_blank", "noreferrer");
  if (action.type === "clipboard") return navigator.clipboard?.writeText(action.clipboardText);
  return null;
}

function show(view) {
  document.body.dataset.view = view;
  for (const tab of document.querySelectorAll("[data-show]")) {
    tab.setAttribute("aria-pressed", String(tab.dataset.show === view));
  }
  toEnd(view === "log" ? log : scroll);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) {
    if (!event.target.closest("#stickers")) showStickers(false);
    return;
  }
  const { dataset } = button;
  if (dataset.testid === "sticker-open") showStickers(find("#stickers").hidden);
  else if (dataset.sticker) {
    showStickers(false);
    send({ type: "sticker", packageId: dataset.package, stickerId: dataset.sticker });
  } else if (dataset.action) tap(JSON.parse(dataset.action));
  else if (dataset.quote) quote(dataset.quote);
  else if ("unquote" in dataset) quote(null);
  else if (dataset.unsend) happen({ type: "unsend", messageId: dataset.unsend });
  else if (dataset.event) happen({ type: dataset.event });
  else if (dataset.redeliver) post(`/control/webhooks/${dataset.redeliver}/redeliver`, {});
  else if (dataset.show) show(dataset.show);
});

// Else a new message would come in again whenever its tab is shown.
document.addEventListener("animationend", (event) => event.target.classList.remove("new"));

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  showStickers(false);
  quote(null);
});

tellTimes(document);
tellDays();
show("chat");
toEnd(log);
