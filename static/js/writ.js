// Keys. What an action does is registered by name, by whichever script owns it; which key asks for it is data that the server checked.
//
//   writ.action("walk_evidence", walk);                       // a name without a function clicks the control with data-action
//   writ.action("approve", give, { judges: true });           // judging needs an item that was seen, and a key that is not held
"use strict";
(() => {
  const DWELL = 350; // ms: a key pressed faster than anybody can look belongs to what was there before
  const CHORD = 1000; // ms for the second key of two
  const WRITING = "input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]";
  const actions = {};
  let shownAt = performance.now(), begun = "", chord = 0;

  const $ = (selector) => document.querySelector(selector);

  const writ = window.writ = {
    busy: false, // a save is in flight
    action(name, act, { judges = false } = {}) { actions[name] = { act, judges }; },
    run(name) {
      const known = actions[name];
      if (known) return known.act();
      const control = $(`[data-action="${CSS.escape(name)}"]:not(:disabled, [hidden])`);
      if (control) control.click();
    },
    seen: () => !writ.busy && performance.now() - shownAt > DWELL,
    seconds: () => Math.round((performance.now() - shownAt) / 1000),
    // Another item is on screen.
    shown() {
      shownAt = performance.now();
      begun = "";
      $("#main")?.focus({ preventScroll: true });
      document.dispatchEvent(new CustomEvent("writ:shown"));
    },
  };

  // --- which key --------------------------------------------------------------------------------------------------------------

  let keymap = null, begins = new Set();

  function read() {
    keymap = JSON.parse($("#key-map")?.textContent || "{}");
    begins = new Set(Object.keys(keymap).filter((key) => key.includes(" ")).map((key) => key.split(" ")[0]));
  }

  function named(event) {
    const altgr = event.getModifierState("AltGraph"); // types a character, as shift does; some systems call it Ctrl and Alt
    if (event.altKey && !altgr) return "";
    const ctrl = (event.ctrlKey || event.metaKey) && !altgr;
    const key = event.key === " " ? "Space" : event.key;
    return ctrl ? `Ctrl+${key.toLowerCase()}` : key;
  }

  // A held key must not be the second of a chord.
  function asked(key, repeat) {
    clearTimeout(chord);
    const both = !repeat && begun && keymap[`${begun} ${key}`];
    begun = "";
    if (both) return both;
    if (begins.has(key) && !repeat) {
      begun = key;
      chord = setTimeout(() => { begun = ""; }, CHORD);
    }
    return keymap[key];
  }

  // --- what is done -----------------------------------------------------------------------------------------------------------

  function own(key) { // what the focused control does with it
    const focused = document.activeElement;
    if (["Enter", "Space"].includes(key)) return focused.matches("a, button, summary, [role=button], input");
    return key.startsWith("Arrow") && focused.matches("input[type=radio]");
  }

  document.addEventListener("keydown", (event) => {
    if (!keymap) read();
    if (event.isComposing || event.defaultPrevented || $("dialog[open]")) return;
    const key = named(event);
    if (key === "Ctrl+enter") { event.preventDefault(); return actions.submit?.act(); }
    if (key === "Escape") return actions.leave?.act();
    if (document.activeElement.matches(WRITING) || own(key)) return;
    const digit = /^[1-9]$/.test(key) && actions.digit;
    const name = digit ? "digit" : asked(key, event.repeat);
    if (!name) { if (begun) event.preventDefault(); return; }
    event.preventDefault();
    if (writ.busy) return;
    if (digit) return event.repeat || digit.act(key);
    const judges = actions[name]?.judges;
    if (!judges || (writ.seen() && !event.repeat)) writ.run(name);
  });

  writ.action("key_sheet", () => $("#keys")?.showModal());
})();
