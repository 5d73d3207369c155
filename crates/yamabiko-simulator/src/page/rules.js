// The switches for time and faults, and webhooks sent again.

import { call, changes, deeds, find, forms, lang, post, say, words } from "./base.js";
import { readJson } from "./attach.js";

// The clock goes on here between two questions about it.

const now = find("#now");
const exact = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" });
let told = null;
let speed = 1;

function tell(time) {
  told = { at: time, since: performance.now() };
  tick();
}

function tick() {
  if (!told) return;
  const passed = (performance.now() - told.since) * speed;
  now.textContent = exact.format(new Date(told.at + passed));
}

setInterval(tick, 1000);

async function askClock() {
  const answer = await fetch("/control/clock").catch(() => null);
  const clock = answer?.ok ? await answer.json().catch(() => null) : null;
  const form = find("#speed");
  form.hidden = !clock;
  if (!clock) {
    const status = await call("GET", "status");
    if (status) tell(status.now);
    return;
  }
  speed = clock.stands ? 0 : clock.speed ?? 1;
  form.elements.speed.value = clock.speed ?? 1;
  form.elements.stands.checked = Boolean(clock.stands);
  tell(clock.now);
}

async function setClock(change) {
  const done = await post("clock", change);
  await askClock();
  return done;
}

const forward = (seconds) => setClock({ advanceSeconds: Number(seconds) });
deeds.forward = ({ dataset }) => forward(dataset.seconds);
forms.forward = ({ seconds }) => forward(seconds.value);
forms.speed = (fields) => setClock({ speed: Number(fields.speed.value) });
changes.stands = ({ checked }) => setClock({ stands: checked });

// Settings.

const settings = find("#settings");

function fill(all) {
  for (const [name, value] of Object.entries(all ?? {})) {
    if (settings.elements[name]) settings.elements[name].value = value ?? "";
  }
}

forms.settings = async () => {
  const wanted = {};
  for (const field of settings.elements) {
    if (field.name === "markAsReadMode") wanted[field.name] = field.value;
    else if (field.name === "monthlyLimit") wanted[field.name] = field.value === "" ? null : Number(field.value);
    else if (field.name && field.value !== "") wanted[field.name] = Number(field.value);
  }
  const all = await post("settings", wanted);
  fill(all);
  if (all) say(words.applied, 2000);
  return all;
};

// Faults.

const faults = find("#faults");

function list(answer) {
  if (!answer) return;
  const lines = answer.faults.map(({ endpoint, ...rest }) => {
    const details = Object.entries(rest).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
    return `${endpoint}: ${details.join(", ")}`;
  });
  faults.replaceChildren(...(lines.length ? lines : [faults.dataset.empty]).map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
  faults.classList.toggle("on", lines.length > 0);
}

const NUMBERS = ["status", "delayMs", "count", "rate", "seed", "limit"];
const SWITCHES = ["reset", "duplicate", "reorder", "lose"];

forms.fault = async (fields) => {
  const more = readJson(fields.json);
  if (more === undefined) return null;
  const fault = { endpoint: fields.endpoint.value };
  for (const name of NUMBERS) if (fields[name].value !== "") fault[name] = Number(fields[name].value);
  for (const name of ["timeout", "message"]) if (fields[name].value) fault[name] = fields[name].value;
  for (const name of SWITCHES) if (fields[name].checked) fault[name] = true;
  const answer = await post("faults", { ...fault, ...more });
  if (answer) list(await call("GET", "faults"));
  return answer;
};

deeds.clearFaults = async () => list(await call("DELETE", "faults"));

deeds.reset = ({ dataset }) => {
  if (confirm(dataset.ask)) post("reset", {});
};

// Webhooks of the log.

deeds.redeliver = ({ dataset }) => post(`webhooks/${dataset.eventId}/redeliver`, {});

deeds.replay = (button) => {
  const shown = button.closest(".bodies").querySelector("pre").textContent;
  let body = shown;
  // The log shows JSON with line breaks that were not sent.
  try { body = JSON.stringify(JSON.parse(shown)); } catch { /* It was none: as it is. */ }
  return post("webhooks/raw", { body });
};

export async function refresh() {
  fill(await call("GET", "settings"));
  list(await call("GET", "faults"));
  await askClock();
}
