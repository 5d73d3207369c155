// Saved chats and other scripts, played; and how that went.

import { ask, changes, find, open, say, words } from "./base.js";
import { showPanel } from "./compose.js";
import { stay } from "./live.js";

const dialog = find("#dialog-outcome");
const verdict = dialog.querySelector(".verdict");

function tell({ passed, steps, failure, error }) {
  const { dataset } = verdict;
  verdict.classList.toggle("passed", Boolean(passed));
  if (passed) verdict.textContent = `${dataset.passed} · ${steps} ${dataset.steps}`;
  else verdict.textContent = `${dataset.failed} · ${error ?? `${dataset.line} ${failure.line}`}`;
  const { expected = "", came = "", chat = [] } = failure ?? {};
  for (const [name, text] of Object.entries({ expected, came, chat: chat.join("\n") })) {
    const part = dialog.querySelector(`[data-part=${name}]`);
    part.querySelector("pre").textContent = text;
    part.hidden = !text;
  }
  open("outcome");
}

changes.script = async (input) => {
  const [file] = input.files;
  if (!file) return;
  showPanel(null);
  // A script may begin everything anew, or take away the one who speaks here.
  stay(true);
  say(words.playing, 0);
  input.disabled = true;
  const { told, error } = await ask("POST", "script", { script: await file.text() });
  input.disabled = false;
  input.value = "";
  say("");
  tell(told ?? { error });
};

dialog.addEventListener("close", () => stay(false));
