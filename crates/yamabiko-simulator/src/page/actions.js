// What a tap on something of the bot's does.

import { deeds, find, forms, happen, happenToAll, open, say, send, words } from "./base.js";
import { choose } from "./attach.js";
import { write } from "./compose.js";
import { toNewest } from "./live.js";

const OPENS = /^(https?|tel|mailto|line):/i;
const INPUTS = { date: "date", time: "time", datetime: "datetime-local" };
const picker = find("#dialog-picker");
let asked = null; // The action that the picker is open for.

function postback(action, params) {
  const displayText = action.displayText ?? action.text;
  if (displayText) toNewest();
  if (action.inputOption === "openKeyboard") write(action.fillInText ?? "");
  return happen({ type: "postback", data: action.data, params, displayText });
}

const taps = {
  message(action) {
    toNewest();
    return send({ type: "text", text: action.text });
  },
  postback,
  uri(action) {
    const address = action.uri ?? action.linkUri ?? "";
    if (OPENS.test(address)) window.open(address, "_blank", "noreferrer");
    else say(`${words.refused}: ${address}`);
  },
  async clipboard(action) {
    const done = await navigator.clipboard?.writeText(action.clipboardText).then(() => true, () => false);
    say(done ? `${words.copied}: ${action.clipboardText}` : words.refused);
  },
  datetimepicker(action) {
    asked = action;
    const { when } = picker.querySelector("form").elements;
    when.type = INPUTS[action.mode] ?? "datetime-local";
    // LINE lets the T of a date with time be small.
    for (const [name, given] of [["min", action.min], ["max", action.max], ["value", action.initial]]) {
      when[name] = (given ?? "").replace("t", "T");
    }
    picker.querySelector("h2").textContent = action.label || picker.ariaLabel;
    open("picker");
  },
  camera: () => choose("attach-camera"),
  cameraRoll: () => choose("attach-image"),
  location: () => open("location"),
};

forms.picker = ({ when }) => postback(asked, { [asked.mode]: when.value });

deeds.tap = ({ dataset }) => {
  const action = JSON.parse(dataset.action);
  return taps[action.type]?.(action);
};

deeds.happen = ({ dataset }) => happenToAll(JSON.parse(dataset.event));
