// Passes on what is tapped, sent and changed to those who know what to do with it.

import { changes, deeds, forms } from "./page/base.js";
import "./page/actions.js";
import "./page/faults.js";
import "./page/people.js";
import "./page/scripts.js";
import { comeBack } from "./page/live.js";
import { refresh } from "./page/rules.js";

document.addEventListener("click", (event) => {
  const target = event.target.closest("[data-do]");
  // What plays or links within something that can be tapped is not that thing.
  if (!target || event.target.closest("video, audio, a, summary")) return;
  if (target.dataset.do === "show" && target.dataset.show === "rules") refresh();
  deeds[target.dataset.do]?.(target);
});

// Parts of the bot's messages that are no buttons, yet can be tapped.
document.addEventListener("keydown", (event) => {
  const { target } = event;
  if (![" ", "Enter"].includes(event.key) || !target.matches("[role=button][data-do]")) return;
  event.preventDefault();
  deeds[target.dataset.do]?.(target);
});

document.addEventListener("change", (event) => {
  const { change } = event.target.dataset;
  if (change) changes[change]?.(event.target);
});

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const { form: name } = form.dataset;
  if (!name) return;
  event.preventDefault();
  const done = await forms[name](form.elements);
  const dialog = form.closest("dialog");
  if (done && dialog) dialog.close();
});

comeBack();
if (document.body.dataset.view === "rules") refresh();
