// Ways to look at a conversation: raw or rendered, as an outline, one step alone. Each is a class of the root, so that it outlives the item;
// only the last one ends with it, as it hides everything else.
"use strict";
(() => {
  const MODES = { raw: "raw", outline: "outlined", focus_mode: "one-step" };
  const root = document.documentElement;

  function tell() {
    for (const [action, name] of Object.entries(MODES)) {
      for (const button of document.querySelectorAll(`[data-action="${action}"][aria-pressed]`)) {
        button.setAttribute("aria-pressed", root.classList.contains(name));
      }
    }
  }

  function turn(action) {
    const on = root.classList.toggle(MODES[action]);
    const steps = document.querySelector("#conversation .steps");
    if (on && steps) writ.reader.open(steps);
    if (on && action === "focus_mode" && !document.querySelector(".step.here")) writ.reader.go(1);
    tell();
  }

  function leave() {
    root.classList.remove("one-step");
    tell();
  }

  // Folds that stay as one left them, from item to item and from day to day.
  const kept = (fold) => `fold-${fold.dataset.stays}`;
  const unfold = () => document.querySelectorAll("details[data-stays]").forEach((fold) => { fold.open = localStorage.getItem(kept(fold)) === "open"; });
  document.addEventListener("toggle", (event) => {
    const fold = event.target;
    if (fold.matches?.("details[data-stays]") && document.contains(fold)) localStorage.setItem(kept(fold), fold.open ? "open" : "");
  }, true);

  for (const action of Object.keys(MODES)) writ.action(action, () => turn(action));

  document.addEventListener("click", (event) => {
    const asked = event.target.closest?.("[data-action]")?.dataset.action;
    if (asked in MODES) turn(asked);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") leave(); });
  document.addEventListener("writ:shown", () => { leave(); unfold(); });
  unfold();
})();
