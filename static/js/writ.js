// Keys and verdicts. Everything here is a shortcut to a link, a button or a form that works without it.
"use strict";
(() => {
  const DWELL = 350; // ms: a key pressed faster than anybody can look belongs to what was there before
  let busy = false, pending = null, shownAt = 0;
  const actions = {};
  window.writ = { action: (name, act) => { actions[name] = act; } };

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const verdict = () => $("form#verdict");

  // --- verdicts ---------------------------------------------------------------------------------------------------------------

  function ready() {
    return !busy && performance.now() - shownAt > DWELL;
  }

  function give(button) {
    if (!button || !ready()) return;
    button.click(); // not requestSubmit: htmx learns of the button by its click
  }

  function submit() {
    const reasons = $("#reasons");
    if (pending) give(pending);
    else if ($("[name=reason]:checked")) give($("[value=REJECT]", reasons));
    else if (!reasons?.open || document.activeElement.name === "note") give($("[value=APPROVE]"));
  }

  function pick(digit) {
    const reason = $(`[data-digit="${digit}"]`);
    if (!reason) return;
    reason.checked = true;
    if (reason.value === "other" && !$("[name=note]").value.trim()) $("[name=note]").focus();
    else give($("#reasons [value=REJECT]"));
  }

  function leave() {
    const reasons = $("#reasons");
    if (!reasons?.open) return document.activeElement.blur();
    $$("[name=reason]", reasons).forEach((reason) => { reason.checked = false; });
    reasons.open = false;
    document.activeElement.blur();
  }

  function busyWith(form, on) {
    busy = on;
    form?.classList.toggle("saving", on);
  }

  document.addEventListener("submit", (event) => {
    if (event.target !== verdict()) return;
    if (busy) return event.preventDefault();
    pending = event.submitter;
    $("[name=seconds]", event.target).value = Math.round((performance.now() - shownAt) / 1000);
  }, true);

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (["verdict", "undo"].includes(event.target.id)) busyWith(event.target, true);
  });

  // A failed request leaves the page, and the verdict in it, as they are.
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (!["verdict", "undo"].includes(event.target.id)) return;
      busyWith(event.target, false);
      const notice = $("#unsaved");
      if (notice) notice.hidden = false;
    });
  }

  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "main" || event.detail.target?.id === "main") show();
  });

  function show() {
    busyWith(verdict(), false);
    pending = null;
    shownAt = performance.now();
    $("#main")?.focus({ preventScroll: true });
  }

  // --- keys -------------------------------------------------------------------------------------------------------------------

  const NAMES = {
    j: "next_step", k: "prev_step", r: "next_read", R: "prev_read", w: "next_write", W: "prev_write", e: "walk_evidence",
    t: "conversation", "/": "find", G: "last", z: "focus_mode", v: "raw",
  };
  const KEYS = {
    x: () => { const reasons = $("#reasons"); if (reasons) reasons.open = true; },
    c: () => { const reasons = $("#reasons"); if (reasons) { reasons.open = true; $("[name=note]").focus(); } },
    "?": () => $("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || $("dialog[open]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); return submit(); }
    if (event.ctrlKey && event.key === "g" && actions.goto) { event.preventDefault(); return actions.goto(); }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave();
    if (document.activeElement.matches("input:not([type=radio]), textarea, select, [contenteditable]")) return;
    const button = $(`button[data-key="${CSS.escape(event.key)}"]`);
    const digit = /^[1-9]$/.test(event.key) && $("#reasons")?.open;
    const action = button ? () => ready() && button.click() : digit ? () => pick(event.key) : KEYS[event.key] || actions[NAMES[event.key]];
    if (!action) return;
    event.preventDefault();
    if (!busy && !(event.repeat && (button || digit))) action();
  });

  setInterval(() => {
    const clock = $(".clock");
    if (clock) clock.textContent = `${Math.round((performance.now() - shownAt) / 1000)} s`;
  }, 1000);

  show();
})();
