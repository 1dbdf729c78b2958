// Comments: what they are about, and names of colleagues completed behind an @.
(() => {
  const $ = (selector, from = document) => from.querySelector(selector);

  // --- what a comment is about: the step or argument that had the focus when somebody began to write --------------------------

  document.addEventListener("focusin", (event) => {
    const form = event.target.closest?.(".comment-form");
    if (event.target.id !== "comment-body" || form.contains(event.relatedTarget)) return;
    const place = event.relatedTarget?.closest?.("[data-message]") ?? $(".here[data-message]");
    const { message = "", pointer = "" } = place?.dataset ?? {};
    form.elements.message.value = message;
    form.elements.pointer.value = pointer;
    const row = place?.closest(".ev, .card") ?? place;
    const step = $(".step-number, a.place", row ?? form)?.textContent.replace("step ", "");
    $(".comment-focus", form).textContent = place ? `about ${step ? `step ${step}` : `message ${message}`} ${pointer}` : "";
  });

  // A comment that was kept gives the keys back to the desk.
  document.addEventListener("htmx:afterSettle", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr?.status === 200 && requestConfig?.elt.matches(".comment-form")) $(".desk")?.focus({ preventScroll: true });
  });

  // --- names -------------------------------------------------------------------------------------------------------------------

  let names = null;
  let area = null;

  const started = (field) => /(?:^|[^\w.@+-])@([\w.@+-]*)$/.exec(field.value.slice(0, field.selectionStart));

  const close = () => {
    if (!names) return;
    names.hidden = true;
    names.replaceChildren();
    area?.removeAttribute("aria-activedescendant");
  };

  const pick = (name) => {
    const found = started(area);
    if (!found) return close();
    const at = area.selectionStart - found[1].length;
    area.setRangeText(`${name} `, at, area.selectionStart, "end");
    close();
    area.focus();
  };

  const select = (entry) => {
    for (const one of names.children) one.setAttribute("aria-selected", String(one === entry));
    area.setAttribute("aria-activedescendant", entry.id);
    entry.scrollIntoView({ block: "nearest" });
  };

  const offer = () => {
    const found = started(area);
    const known = [...(document.getElementById(area.dataset.names)?.children ?? [])].map((one) => one.textContent);
    const begun = found?.[1].toLowerCase() ?? "";
    const fits = found ? known.filter((name) => name.toLowerCase().startsWith(begun)).slice(0, 8) : [];
    names.replaceChildren(...fits.map((name, n) => {
      const entry = document.createElement("li");
      entry.id = `${area.id}-name-${n}`;
      entry.role = "option";
      entry.textContent = name;
      entry.addEventListener("pointerdown", (event) => { event.preventDefault(); pick(name); });
      return entry;
    }));
    names.hidden = fits.length === 0;
    if (fits.length) select(names.firstElementChild); else close();
  };

  document.addEventListener("input", (event) => {
    if (!event.target.dataset?.names) return;
    area = event.target;
    names = $(".names", area.parentElement);
    offer();
  });
  document.addEventListener("focusout", (event) => { if (event.target === area) close(); });

  document.addEventListener("keydown", (event) => {
    if (event.target === area && names && !names.hidden) {
      const all = [...names.children];
      const now = all.findIndex((one) => one.ariaSelected === "true");
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        select(all.at((now + (event.key === "ArrowDown" ? 1 : -1)) % all.length));
      } else if (event.key === "Enter" || event.key === "Tab") {
        pick(all[Math.max(now, 0)].textContent);
      } else if (event.key === "Escape") {
        close();
      } else return;
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.form?.matches(".comment-form")) {
      event.preventDefault();
      event.stopPropagation();
      event.target.form.requestSubmit();
    }
  }, true);
})();
