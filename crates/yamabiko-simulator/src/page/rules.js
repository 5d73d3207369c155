// The switches for time and rules, and webhooks sent again.

import { call, deeds, find, forms, post, say, words } from "./base.js";

// The clock.

const forward = (seconds) => post("clock", { advanceSeconds: Number(seconds) });
deeds.forward = ({ dataset }) => forward(dataset.seconds);
forms.forward = ({ seconds }) => forward(seconds.value);
forms.speed = ({ speed }) => post("clock", { speed: Number(speed.value) });
deeds.stand = ({ dataset }) => post("clock", { stands: dataset.stands === "true" });

// Settings.

const settings = find("#settings");

function fill(all) {
  for (const [name, value] of Object.entries(all ?? {})) {
    const field = settings.elements[name];
    if (field?.type === "checkbox") field.checked = value;
    else if (field) field.value = value ?? "";
  }
}

function read({ type, value, checked }) {
  if (type === "checkbox") return checked;
  if (type !== "number") return value;
  return value === "" ? null : Number(value);
}

forms.settings = async () => {
  const named = [...settings.elements].filter((field) => field.name);
  const wanted = named.map((field) => [field.name, read(field)]);
  const all = await post("settings", Object.fromEntries(wanted));
  fill(all);
  if (all) say(words.applied, 2000);
  return all;
};

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
}
