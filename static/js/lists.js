// Rows and ticks of lists; which keys walk and tick is the reviewer's own (writ.js). Enter opens a row, as it does any link.
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const rows = () => $$(".items tbody tr");
  const ticks = () => $$('.items input[name="item"]');

  function go(delta) {
    const all = rows();
    const at = all.findIndex((row) => row.classList.contains("now"));
    const next = all[at < 0 ? (delta > 0 ? 0 : all.length - 1) : Math.max(0, Math.min(all.length - 1, at + delta))];
    if (!next) return;
    all[at]?.classList.remove("now");
    next.classList.add("now");
    $("a", next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function count() {
    const all = ticks(), ticked = all.filter((box) => box.checked).length;
    const words = $(".ticked"), whole = $(".tick-all");
    if (words) words.textContent = ticked ? `${ticked} ticked` : "";
    if (!whole) return;
    whole.checked = ticked > 0 && ticked === all.length;
    whole.indeterminate = ticked > 0 && ticked < all.length;
  }

  writ.action("next_row", () => go(1));
  writ.action("prev_row", () => go(-1));
  writ.action("tick", () => { const box = $(".items tr.now input"); if (box) { box.checked = !box.checked; count(); } });
  writ.action("search", () => { const search = $('[name="q"]'); search?.focus(); search?.select(); });
  writ.action("list_sheet", () => writ.run("key_sheet"));

  document.addEventListener("change", (event) => {
    if (event.target.matches(".tick-all")) ticks().forEach((box) => { box.checked = event.target.checked; });
    if (event.target.closest(".items")) count();
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.(".items tbody tr");
    if (!row) return;
    $$(".items tr.now").forEach((old) => old.classList.remove("now"));
    row.classList.add("now");
  });

  // Fresh counts replace the facets under somebody's hands: the same box keeps the focus.
  let held = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    const box = document.activeElement;
    held = event.detail.target.id === "facets" && box.closest("#facets") ? [box.name, box.value] : null;
  });
  document.addEventListener("htmx:afterSwap", () => {
    if (held) $$("#facets input").find((box) => box.name === held[0] && box.value === held[1])?.focus();
    held = null;
    count();
  });

  // Addresses name only what is set.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id !== "filters") return;
    const given = event.detail.parameters;
    for (const name of [...new Set(Object.keys(given))]) if (given[name] === "" || (name === "sort" && given[name] === "newest")) delete given[name];
  });

  if (matchMedia("(max-width: 900px)").matches) $(".facet-box")?.removeAttribute("open");
  count();
})();
