// Reading the desk: evidence lights up both ways, steps open when they are asked for, words are found. Every one of these is a
// shortcut to a link or a button that works without it. Keys belong to writ.js, which calls what is registered here by name.
"use strict";
(() => {
  let walked = 0;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const smooth = () => matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  const clear = (name) => $$(`.${name}`).forEach((one) => one.classList.remove(name));
  const links = (argument) => (argument.dataset.links || "").split(" ").filter(Boolean);

  function open(element) {
    for (let box = element.closest("details"); box; box = box.parentElement.closest("details")) box.open = true;
  }

  // The part of a step that the page does not hold yet.
  async function fill(step) {
    const box = $("details.result", step);
    if (box) box.open = true;
    const link = $("a.fill", step);
    if (link) await htmx.ajax("GET", link.href, { target: link, swap: "outerHTML" });
  }

  function point(step) {
    clear("now");
    const glyph = step && $(`.ribbon [data-step="${CSS.escape(step)}"]`);
    glyph?.classList.add("now");
    glyph?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  // `token` is an id, or id~pointer: the field at that JSON pointer in the step's result.
  async function light(token) {
    clear("lit");
    const [id, pointer] = (token || "").split("~");
    let target = id && document.getElementById(id);
    if (!target) return;
    open(target);
    if (pointer) {
      await fill(target);
      target = $(`[data-pointer="${CSS.escape(decodeURIComponent(pointer))}"]`, target) || target;
    }
    target.classList.add("lit");
    const row = target.closest(".ev, .step");
    row?.classList.add("lit");
    point(row?.dataset.step || row?.id);
    target.scrollIntoView({ block: "center", inline: "nearest", behavior: smooth() });
  }

  function here(element, behavior = smooth()) {
    clear("here");
    open(element);
    element.classList.add("here");
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: element.offsetHeight > 300 ? "start" : "center", behavior });
    point(element.dataset.step || element.id);
  }

  // Far away: at once, and once more when what is on the way has its real height.
  function jump(element) {
    here(element, "instant");
    requestAnimationFrame(() => here(element, "instant"));
  }

  function move(selector, delta) {
    const all = $$(selector);
    const at = all.findIndex((one) => one === document.activeElement || one.classList.contains("here"));
    const next = all[at < 0 ? (delta > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + delta))];
    if (next) here(next);
  }

  function go(number) {
    const all = $$(".steps .step");
    const step = all[Math.max(1, Math.min(all.length, Math.trunc(number) || 1)) - 1];
    if (step) jump(step);
  }

  function walk() {
    const argument = document.activeElement.closest?.(".arg") || $(".arg.focus") || $(".arg");
    if (!argument) return;
    const places = links(argument);
    walked = argument.classList.contains("focus") ? walked + 1 : 0;
    argument.focus({ preventScroll: true });
    if (places.length) light(places[walked % places.length]);
  }

  // What a verdict points at.
  function aim(element) {
    const form = $("form#verdict");
    const aimed = form && element.closest("[data-message], [data-write]");
    if (!aimed) return;
    const told = { focus: element.closest("[id]")?.id };
    for (const name of ["message", "pointer", "write"]) told[name] = element.closest(`[data-${name}]`)?.dataset[name];
    for (const [name, value] of Object.entries(told)) if (form.elements[name]) form.elements[name].value = value || "";
  }

  document.addEventListener("focusin", (event) => {
    aim(event.target);
    const argument = event.target.closest?.(".arg");
    if (!argument || argument.classList.contains("focus")) return;
    clear("focus");
    argument.classList.add("focus");
    walked = 0;
    light(links(argument)[0]);
  });

  document.addEventListener("click", (event) => {
    const asked = event.target.closest?.("[data-action]");
    if (asked && actions[asked.dataset.action]) return actions[asked.dataset.action]();
    const part = event.target.closest?.("a.fill");
    if (part && !event.ctrlKey && !event.metaKey) { event.preventDefault(); return fill(part.closest(".step, .ev")); }
    const link = event.target.closest?.('a[href^="#"]:not(.skip)');
    const target = link && document.getElementById(decodeURIComponent(link.getAttribute("href").slice(1)));
    if (!target) return aim(event.target);
    event.preventDefault();
    aim(link);
    if (link.closest(".ribbon")) return jump(target);
    if (link.dataset.links || !target.matches(".arg, .ev, .step, .card")) return light(links(link)[0] || target.id);
    here(target);
    for (const id of (link.dataset.grounds || "").split(" ").slice(1)) document.getElementById(id)?.classList.add("lit");
  });

  // Who goes to edit finds the step there that was looked at here.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches(".edit-door")) return;
    const looked = $(".here, .arg.focus")?.closest(".step, [data-step]");
    const step = looked?.dataset.step ? document.getElementById(looked.dataset.step) : looked;
    if (step) event.target.action += `#m${step.dataset.message}`;
  });

  document.addEventListener("toggle", (event) => {
    if (event.target.matches?.("details.result[open]")) fill(event.target.closest(".step, .ev"));
  }, true);

  const actions = {
    next_step: () => move(".steps .step", 1), prev_step: () => move(".steps .step", -1),
    next_read: () => move(".evidence .ev", 1), prev_read: () => move(".evidence .ev", -1),
    next_write: () => move(".arg", 1), prev_write: () => move(".arg", -1),
    walk_evidence: walk,
    first: () => go(1), last: () => go(Infinity),
    conversation: () => { const talk = $("#conversation"); if (talk) { talk.open = !talk.open; if (talk.open) talk.scrollIntoView({ behavior: smooth() }); } },
    goto: () => $("#goto")?.showModal(),
  };
  for (const [name, act] of Object.entries(actions)) writ.action(name, act);
  writ.reader = { jump, go, fill, open };
  document.addEventListener("submit", (event) => {
    if (event.target.closest("#goto")) go(Number(new FormData(event.target).get("step")));
  });

  function arrive() {
    const asked = $("#conversation")?.dataset.at;
    if (asked) return go(Number(asked));
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target?.matches(".step, .ev, .card, .arg")) jump(target);
  }

  addEventListener("hashchange", arrive);
  arrive();
})();
