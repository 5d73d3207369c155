// Finishes what the server has drawn: times in the reader's zone, and styles that no markup may carry.

import { find, lang } from "./base.js";

const format = (options) => new Intl.DateTimeFormat(lang, { hourCycle: "h23", ...options });
const clock = format({ hour: "2-digit", minute: "2-digit" });
const precise = format({ hour: "2-digit", minute: "2-digit", second: "2-digit" });
const exact = format({ dateStyle: "medium", timeStyle: "medium" });
const day = new Intl.DateTimeFormat(lang, { month: "long", day: "numeric", weekday: "short" });

function tellTimes(root) {
  for (const time of root.querySelectorAll("time[data-at]")) {
    const at = new Date(Number(time.dataset.at));
    time.dateTime = at.toISOString();
    time.textContent = ("seconds" in time.dataset ? precise : clock).format(at);
  }
}

/** Lets the simulator's time go on from when it was drawn, as fast as it says. */
function tellNow(root) {
  for (const clock of root.querySelectorAll("[data-now]")) {
    clock.drawn ??= performance.now();
    const passed = (performance.now() - clock.drawn) * Number(clock.dataset.speed);
    clock.textContent = exact.format(new Date(Number(clock.dataset.now) + passed));
  }
}

setInterval(() => tellNow(document), 200);

// The server has checked each property and value.
function setStyles(root) {
  for (const styled of root.querySelectorAll("[data-style]")) {
    for (const rule of styled.dataset.style.split(";")) {
      const colon = rule.indexOf(":");
      styled.style.setProperty(rule.slice(0, colon), rule.slice(colon + 1));
    }
  }
}

export function finish(root) {
  tellTimes(root);
  tellNow(root);
  setStyles(root);
}

/** Marks where a day begins, and which messages follow one of the same sender. */
export function arrange() {
  let before = null;
  for (const message of find("#messages").querySelectorAll(".message")) {
    const today = day.format(new Date(Number(message.dataset.at)));
    const isNewDay = today !== before?.today;
    if (isNewDay && !message.previousElementSibling?.classList.contains("day")) {
      const mark = document.createElement("li");
      mark.className = "day";
      mark.textContent = today;
      message.before(mark);
    }
    const who = `${message.dataset.from} ${message.dataset.sender ?? ""} ${message.dataset.who}`;
    message.classList.toggle("follows", !isNewDay && who === before?.who);
    before = { today, who };
  }
}
