// Pictures, videos, audios, files, places, beacons, and events as JSON.

import { call, changes, deeds, find, forms, happen, happenToAll, here, inGroup, send } from "./base.js";
import { showPanel, takeQuote } from "./compose.js";
import { toNewest } from "./live.js";

/** The length of a film or a sound in milliseconds; undefined if the browser cannot tell. */
function duration(file, kind) {
  return new Promise((resolve) => {
    const medium = document.createElement(kind);
    const end = () => {
      URL.revokeObjectURL(medium.src);
      const seconds = medium.duration;
      resolve(Number.isFinite(seconds) ? Math.max(1, Math.round(seconds * 1000)) : undefined);
    };
    medium.addEventListener("loadedmetadata", end);
    medium.addEventListener("error", end);
    medium.preload = "metadata";
    medium.src = URL.createObjectURL(file);
  });
}

changes.media = async (input) => {
  const [file] = input.files;
  if (!file) return;
  const { kind } = input.dataset;
  const about = { type: kind, fileName: file.name };
  if (file.type) about.contentType = file.type;
  const length = ["video", "audio"].includes(kind) ? await duration(file, kind) : undefined;
  if (length) about.durationMs = String(length);
  const quoted = takeQuote();
  if (quoted) about.quotedMessageId = quoted;
  showPanel(null);
  toNewest();
  await call("POST", here("media", about), file, "application/octet-stream");
  input.value = "";
};

forms.location = async ({ title, address, latitude, longitude }) => {
  toNewest();
  return send({
    type: "location",
    title: title.value || undefined,
    address: address.value || undefined,
    latitude: Number(latitude.value),
    longitude: Number(longitude.value),
  });
};

forms.beacon = ({ hwid, type, dm }) => {
  const beacon = { hwid: hwid.value, type: type.value, dm: dm.value || undefined };
  return happen({ type: "beacon", beacon });
};

/** Reads the JSON of a field; undefined after the field has said that it is none. */
function readJson(field) {
  try {
    return JSON.parse(field.value || "{}");
  } catch (error) {
    field.setCustomValidity(`${field.dataset.wrong}: ${error.message}`);
    field.reportValidity();
    field.addEventListener("input", () => field.setCustomValidity(""), { once: true });
    return undefined;
  }
}

forms.event = ({ json }) => {
  const event = readJson(json);
  if (event === undefined) return null;
  return inGroup && /^member|^join$|^leave$/.test(event.type) ? happenToAll(event) : happen(event);
};

/** Opens a file chooser of the composer, as an action of the bot asks for. */
export function choose(hook) {
  find(`[data-testid=${hook}]`).click();
}

deeds.watched = ({ dataset }) => watched(dataset.tracking);
const watched = (trackingId) => happen({ type: "videoPlayComplete", trackingId });

// Media tell of their end to nobody but themselves, unless one listens on the way down.
document.addEventListener("ended", (event) => {
  const { tracking } = event.target.dataset;
  if (tracking) watched(tracking);
}, true);
