// Keys and evidence links. Everything here is a shortcut to a link, a button or a form that works without it.
"use strict";
(() => {
  const DWELL = 350; // ms: a key pressed faster than anybody can look belongs to what was there before
  let busy = false, pending = null, shownAt = 0, walked = 0;

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const verdict = () => $("form#verdict");
  const smooth = () => matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";

  // --- evidence links ---------------------------------------------------------------------------------------------------------

  function open(element) {
    for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  }

  function point(step) {
    $$(".ribbon .now").forEach((glyph) => glyph.classList.remove("now"));
    const glyph = step && $(`.ribbon [data-step="${CSS.escape(step)}"]`);
    glyph?.classList.add("now");
    glyph?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function light(id) {
    $$(".lit").forEach((old) => old.classList.remove("lit"));
    const target = id && document.getElementById(id);
    if (!target) return;
    open(target);
    target.classList.add("lit");
    const row = target.closest(".ev, .step");
    row?.classList.add("lit");
    point(row?.dataset.step || row?.id);
    target.scrollIntoView({ block: "center", inline: "nearest", behavior: smooth() });
  }

  function here(element) {
    $$(".here").forEach((old) => old.classList.remove("here"));
    open(element);
    element.classList.add("here");
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: element.offsetHeight > 300 ? "start" : "center", behavior: smooth() });
    point(element.dataset.step || element.id);
  }

  const links = (argument) => argument.dataset.links.split(" ").filter(Boolean);

  function move(selector, delta) {
    const all = $$(selector);
    const at = all.findIndex((one) => one === document.activeElement || one.classList.contains("here"));
    const next = all[at < 0 ? (delta > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + delta))];
    if (next) here(next);
  }

  function walk() {
    const argument = document.activeElement.closest?.(".arg") || $(".arg.focus") || $(".arg");
    if (!argument) return;
    const places = links(argument);
    walked = argument.classList.contains("focus") ? walked + 1 : 0;
    argument.focus({ preventScroll: true });
    if (places.length) light(places[walked % places.length]);
  }

  document.addEventListener("focusin", (event) => {
    const argument = event.target.closest?.(".arg");
    if (!argument || argument.classList.contains("focus")) return;
    $$(".arg.focus").forEach((old) => old.classList.remove("focus"));
    argument.classList.add("focus");
    walked = 0;
    light(links(argument)[0]);
    const pointed = $("form#verdict [name=focus]");
    if (pointed) pointed.value = argument.id;
  });

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]:not(.skip)');
    const target = link && document.getElementById(decodeURIComponent(link.getAttribute("href").slice(1)));
    if (!target) return;
    event.preventDefault();
    if (target.matches(".arg, .ev, .step, .card")) here(target);
    else light(target.id);
  });

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

  const KEYS = {
    j: () => move(".steps .step", 1), k: () => move(".steps .step", -1),
    r: () => move(".evidence .ev", 1), R: () => move(".evidence .ev", -1),
    w: () => move(".arg", 1), W: () => move(".arg", -1),
    e: walk,
    t: () => { const talk = $("#conversation"); if (talk) { talk.open = !talk.open; if (talk.open) talk.scrollIntoView({ behavior: smooth() }); } },
    x: () => { const reasons = $("#reasons"); if (reasons) reasons.open = true; },
    c: () => { const reasons = $("#reasons"); if (reasons) { reasons.open = true; $("[name=note]").focus(); } },
    "?": () => $("#keys")?.showModal(),
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || $("dialog[open]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); return submit(); }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") return leave();
    if (document.activeElement.matches("input:not([type=radio]), textarea, select, [contenteditable]")) return;
    const button = $(`button[data-key="${CSS.escape(event.key)}"]`);
    const digit = /^[1-9]$/.test(event.key) && $("#reasons")?.open;
    const action = button ? () => ready() && button.click() : digit ? () => pick(event.key) : KEYS[event.key];
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
