// The form for faults: it has only the fields that belong to what is chosen.

import { call, changes, deeds, find, forms, post } from "./base.js";

const form = find("#fault");
const { whom, delayMs, delayMaxMs } = form.elements;
const what = () => form.elements[whom.value].value;

function shape() {
  const chosen = [whom.value, what()];
  for (const part of form.querySelectorAll("[data-of]")) {
    part.disabled = !part.dataset.of.split(" ").some((word) => chosen.includes(word));
    part.hidden = part.disabled;
  }
  delayMs.required = what() === "delay";
  delayMaxMs.min = delayMs.value || 0;
}

changes.fault = shape;

forms.fault = () => {
  const fault = {};
  for (const { name, value, type } of form.querySelectorAll("[name]:enabled:not([type=radio])")) {
    if (value !== "") fault[name] = type === "number" ? Number(value) : value;
  }
  // These have no fields.
  if (["reorder", "lose"].includes(what())) fault[what()] = true;
  return post("faults", fault);
};

deeds.clearFaults = () => call("DELETE", "faults");

// A browser may have kept what was chosen.
shape();
