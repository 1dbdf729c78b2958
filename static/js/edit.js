// Editing: keys between steps, focus that survives a new drawing of the page, and typing that survives the network.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const rows = () => [...document.querySelectorAll(".edit-row")];
  const unsent = new Set();
  let typed = 0;
  let next = ""; // id of the row to go to when the page was drawn anew

  // --- nothing that was typed is lost ------------------------------------------------------------------------------------------

  const isField = (element) => element?.matches?.(".edit-field, #reason");
  const notice = () => { const shown = $("#unsent"); if (shown) shown.hidden = unsent.size === 0; };
  const dirty = () => [...document.querySelectorAll(".edit-field[data-dirty]")];
  const sentAlready = (form) => !form.dataset.dirty || form.dataset.sent === form.dataset.dirty;

  document.addEventListener("input", (event) => {
    const form = event.target.closest(".edit-field") ?? (event.target.id === "reason" ? event.target : null);
    if (form) form.dataset.dirty = String(++typed);
  });

  // Leaving a field sends what its pause for typing still holds back, and nothing twice.
  document.addEventListener("htmx:configRequest", (event) => {
    const form = event.detail.elt;
    if (!isField(form)) return;
    if (event.detail.triggeringEvent?.type === "change" && sentAlready(form) && !unsent.has(form)) event.preventDefault();
    else form.dataset.sent = form.dataset.dirty ?? "";
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (!isField(form)) return;
    if (event.detail.xhr.status > 0 && event.detail.xhr.status < 500) {
      unsent.delete(form);
      if (form.dataset.sent === form.dataset.dirty) delete form.dataset.dirty;
    } else {
      unsent.add(form);
      delete form.dataset.sent;
    }
    notice();
    if (waiting && dirty().length === 0) go();
  });

  // Whoever came from the queue keeps the item in their hands.
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, xhr } = event.detail;
    if (elt.id === "beat" && xhr.status === 200) $("#lost").hidden = JSON.parse(xhr.responseText).lost.length === 0;
  });

  // A button that draws the page anew waits for what was typed just before; by then it may have been drawn anew itself.
  let waiting = null;
  const go = () => {
    const { form, values } = waiting;
    waiting = null;
    next = form.dataset.row ?? "";
    htmx.ajax("POST", form.getAttribute("action"), { source: "#main", target: "#main", swap: "outerHTML", values });
  };
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("hx-target") !== "#main" || dirty().length === 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    waiting = { form: event.target, values: Object.fromEntries(new FormData(event.target)) };
  }, true);

  const again = () => {
    for (const form of unsent) {
      if (!document.contains(form)) unsent.delete(form);
      else htmx.trigger(form, form.id === "reason" ? "change" : "submit");
    }
    notice();
  };
  setInterval(again, 3000);
  window.addEventListener("online", again);

  let saving = false;
  window.addEventListener("beforeunload", (event) => {
    if ($("[data-dirty]") && !saving) event.preventDefault();
  });
  document.addEventListener("submit", (event) => { if (!event.target.hasAttribute("hx-post")) saving = true; });

  // --- focus and keys ----------------------------------------------------------------------------------------------------------

  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "main") return;
    next = event.detail.requestConfig?.elt?.dataset.row ?? next;
    opened = [...document.querySelectorAll(".edit-open[open]")].map((one) => one.closest(".edit-row").id);
  });

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "main" && event.target.id !== "main") return;
    for (const id of opened) document.getElementById(id)?.querySelector(".edit-open")?.setAttribute("open", "");
    const place = document.getElementById(next) ?? $("#main");
    opened = [];
    if (place && !place.contains(document.activeElement)) place.focus({ preventScroll: place.id === "main" });
  });

  const typing = () => document.activeElement?.matches("input, textarea, select, [contenteditable]");
  const here = () => document.activeElement?.closest?.(".edit-row");

  const move = (by) => {
    const all = rows();
    const now = all.indexOf(here());
    const row = all[now < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, now + by))];
    row?.focus();
    row?.scrollIntoView({ block: "nearest" });
  };

  const open = () => {
    const fold = here()?.querySelector(".edit-open");
    if (!fold) return;
    fold.open = true;
    fold.querySelector("textarea, input:not([type=hidden]), select")?.focus();
  };

  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented || $("dialog[open]")) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const save = $("#edit-save button");
      if (save && !save.disabled) { event.preventDefault(); save.click(); }
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing()) { here()?.focus(); return; }
    if (typing()) return;
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "Enter" && document.activeElement === here()) open();
    else return;
    event.preventDefault();
  }, true); // before the keys of other pages, which know nothing of drafts

  const asked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (asked?.matches(".edit-row")) asked.focus();
})();
