// Editing: keys between steps, focus that survives a new drawing of the page, and typing that survives the network.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);
  const rows = () => [...document.querySelectorAll(".edit-row")];
  const unsent = new Set();
  let typed = 0;

  // --- nothing that was typed is lost ------------------------------------------------------------------------------------------

  const isField = (element) => element?.matches?.(".edit-field, #reason");
  const notice = () => { const shown = $("#unsent"); if (shown) shown.hidden = unsent.size === 0; };

  document.addEventListener("input", (event) => {
    const form = event.target.closest(".edit-field") ?? (event.target.id === "reason" ? event.target : null);
    if (form) { form.dataset.dirty = String(++typed); }
  });

  document.addEventListener("htmx:beforeRequest", (event) => {
    if (isField(event.detail.elt)) event.detail.elt.dataset.sent = event.detail.elt.dataset.dirty ?? "";
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.detail.elt;
    if (!isField(form)) return;
    const answered = event.detail.xhr.status > 0 && event.detail.xhr.status < 500;
    if (answered) {
      unsent.delete(form);
      if (form.dataset.sent === form.dataset.dirty) delete form.dataset.dirty;
    } else {
      unsent.add(form);
    }
    notice();
  });

  const again = () => {
    for (const form of unsent) {
      if (!document.contains(form)) unsent.delete(form);
      else htmx.trigger(form, form.id === "reason" ? "change" : "submit");
    }
    notice();
  };
  setInterval(again, 3000);
  window.addEventListener("online", again);

  window.addEventListener("beforeunload", (event) => {
    if (document.querySelector("[data-dirty]") && !saving) event.preventDefault();
  });
  let saving = false;
  document.addEventListener("submit", (event) => { if (!event.target.hasAttribute("hx-post")) saving = true; });

  // --- focus and keys ----------------------------------------------------------------------------------------------------------

  let next = "";
  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.id !== "main") return;
    next = event.detail.requestConfig?.elt?.dataset.row ?? "";
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
  });
})();
