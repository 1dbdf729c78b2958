// The queue of one reviewer: what is on screen, what comes next (leased and drawn by the server beforehand), what was put aside.
// Every desk has a slot and a token; a sign of life keeps all of them, and closing the page gives them back.
"use strict";
(() => {
  const IDLE = 600_000; // ms without a touch, after which leases may lapse
  const $ = (selector, root = document) => root.querySelector(selector);
  const site = $("#queue")?.dataset;
  if (!site) return;
  const wanted = Number(site.ahead);
  let ahead = [], filling = null, dry = false, parked = null, touched = performance.now();
  let today = Number($("#today")?.textContent || 0), waiting = Number($("#waiting")?.textContent || 0);
  let last = { event: $("#undo [name=event]")?.value || "", title: $("#undo-last")?.title || "" };

  // A name for this page as long as it is open, so that the server knows who is gone.
  const named = () => Math.random().toString(36).slice(2, 14);
  let name = named();

  const desks = () => [parked || $("#main"), ...ahead].filter((main) => main?.dataset.slot);

  function body() {
    const data = new FormData();
    data.append("csrfmiddlewaretoken", site.csrf);
    data.append("page", name);
    for (const { dataset } of desks()) data.append("held", `${dataset.slot}:${dataset.token}`);
    return data;
  }

  async function ask(address, post) {
    const answer = await fetch(address, { method: post ? "POST" : "GET", body: post, headers: { "HX-Request": "true" } });
    if (answer.redirected || !answer.ok) throw new Error(`${answer.status} of ${address}`);
    return answer;
  }

  // A document of its own is inert: nothing in it runs, and its ids are not the page's.
  const parsed = (text) => $("#main", new DOMParser().parseFromString(text, "text/html"));

  // --- what is on screen ------------------------------------------------------------------------------------------------------

  function show(main) {
    stamp(main);
    $("#main").replaceWith(document.adoptNode(main));
    htmx.process(main);
    refresh();
    scrollTo(0, 0);
    writ.shown();
  }

  function stamp(root) {
    for (const field of root.querySelectorAll("[name=csrfmiddlewaretoken]")) field.value = site.csrf;
  }

  function refresh() {
    if ($("#today")) $("#today").textContent = today;
    if ($("#waiting")) $("#waiting").textContent = waiting;
    if (!$("#main").matches(".looking-back")) {
      const button = $("#undo-last");
      if (button) { button.hidden = !last.event; button.title = last.title; }
      const act = $("#last-act");
      if (act) { act.hidden = !last.event; act.title = last.title; act.textContent = last.title.replace("Take back: ", ""); }
      $("#undo [name=event]").value = last.event;
    }
  }

  async function next(said) {
    if (said.event && said.event !== last.event) {
      last = { event: said.event, title: `Take back: ${said.last}` };
      if (said.verdict !== "DEFER") { today += 1; waiting = Math.max(0, waiting - 1); }
    }
    $("#main").removeAttribute("data-slot"); // it is not held any more
    dry = false;
    if (!ahead.length) await (filling || fill());
    show(ahead.shift() || parsed(await (await ask(site.reviewAt)).text()));
    fill();
  }

  function fill() {
    filling ||= more().catch(() => {}).finally(() => { filling = null; });
    return filling;
  }

  async function more() {
    while (ahead.length < Math.max(wanted, $("#main").dataset.slot ? 0 : 1) && !dry) {
      const answer = await ask(site.aheadAt, body());
      if (answer.status === 204) dry = true;
      else ahead.push(parsed(await answer.text()));
    }
  }

  function undone(text) {
    const current = parked || $("#main");
    if (current.dataset.slot) ahead.unshift(current); // as it was, with what was typed
    parked = null;
    const main = parsed(text);
    ahead = ahead.filter((other) => other.dataset.slot !== main.dataset.slot);
    last = { event: $("#undo [name=event]", main).value, title: $("#undo-last", main)?.title || "" };
    today = Number($("#today", main)?.textContent || today);
    waiting = Number($("#waiting", main)?.textContent || waiting);
    show(main);
  }

  writ.queue = { next, undone, stamp };

  async function look(address) {
    const answer = await ask(address);
    if (answer.status === 204) return writ.tell("There is nothing of today to look back at.");
    parked ||= $("#main");
    show(parsed(await answer.text()));
  }

  const broken = () => writ.tell("The server did not answer. Try again.");
  writ.action("prev_item", () => {
    const link = $("#main [rel=prev]");
    if (link || !parked) return look(link?.href || site.backAt).catch(broken);
  });
  writ.action("next_item", () => {
    const link = $("#main [rel=next]");
    if (link) return look(link.href).catch(broken);
    if (parked) { const main = parked; parked = null; show(main); }
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.(".looking-back a[data-action]");
    if (link && parked) { event.preventDefault(); writ.run(link.dataset.action); }
  });

  // --- signs of life ----------------------------------------------------------------------------------------------------------

  async function beat() {
    if (performance.now() - touched > IDLE) return;
    if (!desks().length) { // an empty page fills itself
      dry = false;
      await fill();
      if (ahead.length) { show(ahead.shift()); fill(); }
      return;
    }
    const { lost, today: given, waiting: left } = await (await ask(site.leaseAt, body())).json();
    [today, waiting] = [given, left];
    refresh();
    const gone = (main) => lost.includes(Number(main.dataset.slot));
    ahead = ahead.filter((main) => !gone(main));
    if (gone($("#main"))) writ.tell("This one is no longer yours: it was opened in another tab or by somebody else. A verdict will be refused.");
    dry = false;
    fill();
  }

  const alive = () => { if (!writ.busy) beat().catch(() => {}); };
  for (const kind of ["keydown", "pointerdown"]) {
    document.addEventListener(kind, () => {
      const away = performance.now() - touched > IDLE;
      touched = performance.now();
      if (away) alive();
    }, true);
  }
  setInterval(alive, Number(site.beat) * 1000);
  addEventListener("pagehide", () => { if (desks().length || filling) navigator.sendBeacon(site.releaseAt, body()); });
  addEventListener("pageshow", (event) => { if (event.persisted) { name = named(); alive(); } });
  fill();
})();
