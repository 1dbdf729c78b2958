// Verdicts: kept by the server before anything else shows. One that was not answered stays in the page and is sent again: the form
// carries a number by which the server knows it.
"use strict";
(() => {
  const PATIENCE = 20_000; // ms for an answer
  const AGAIN = 3_000; // ms until one that failed is sent again
  let pending = null, again = 0, saving = null;

  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const form = () => $("form#verdict");

  function notice(kind, ...texts) {
    $("#notes")?.replaceChildren(...texts.map((text) => {
      const note = document.createElement("p");
      note.className = `notice ${kind}`;
      note.append(text);
      return note;
    }));
  }

  const tell = (...texts) => notice("error", ...texts);

  function unsaved(signedOut) {
    const why = signedOut ? "you are signed out. Sign in again in another tab" : "the server did not answer";
    tell(`Not saved: ${why}. Your verdict is still here and is sent again by itself; Ctrl+Enter tries at once.`);
    $("#notes p").id = "unsaved";
  }

  // --- sending ----------------------------------------------------------------------------------------------------------------

  function hold(on) {
    writ.busy = on;
    saving = on ? form() : saving;
    saving?.classList.toggle("saving", on);
  }

  async function post(address, body, accept) {
    const headers = { Accept: accept, "HX-Request": "true" };
    const answer = await fetch(address, { method: "POST", body, headers, signal: AbortSignal.timeout(PATIENCE) });
    if (answer.redirected) throw new Error("signed out");
    if (answer.status === 403) await renew();
    if (answer.status >= 500 || answer.status === 403) throw new Error("not answered");
    return answer;
  }

  // Who signed in again has another token against forgery: any page of theirs has it.
  async function renew() {
    const page = new DOMParser().parseFromString(await (await fetch($("#keys a").href)).text(), "text/html");
    $("#queue").dataset.csrf = $("[name=csrfmiddlewaretoken]", page).value;
    writ.queue.stamp(document);
  }

  async function judge(button) {
    const verdict = form();
    if (!verdict || writ.busy) return;
    clearTimeout(again);
    hold(true);
    pending = button;
    if (!verdict.elements.seconds.value) verdict.elements.seconds.value = writ.seconds();
    const body = new FormData(verdict, button);
    try {
      const answer = await post(verdict.action, body, "application/json");
      const said = await answer.json();
      pending = null;
      if (answer.status === 422) return refused(verdict, said.errors);
      await writ.queue.next(answer.ok ? said : {});
      if (!answer.ok) return tell(said.error || "That was not accepted.");
      if (said.told) notice(said.told.caught ? "success" : "warning", said.told.text);
      if (said.verdict !== button.value) tell(`What you had sent before was kept: ${said.last}. Undo takes it back.`);
    } catch (error) {
      if (pending) unsaved(error.message === "signed out");
      else tell("Saved, but the next one did not come. It is asked for again by itself.");
      pending = button; // sent again, it is known
      again = setTimeout(() => pending && judge(pending), AGAIN);
    } finally {
      hold(false);
    }
  }

  function refused(verdict, errors) {
    verdict.elements.seconds.value = "";
    tell(...errors);
    open(false);
  }

  async function undo() {
    const asked = $("form#undo");
    if (!asked || writ.busy || $("#undo-last[hidden]")) return;
    hold(true);
    try {
      const answer = await post(asked.action, new FormData(asked), "text/html, application/json");
      if (!answer.ok) return tell((await answer.json()).error);
      const elsewhere = answer.headers.get("HX-Redirect"); // a dispute has a page of its own
      if (elsewhere) return location.assign(elsewhere);
      writ.queue.undone(await answer.text());
    } catch {
      tell("Not undone: the server did not answer. Try again.");
    } finally {
      hold(false);
    }
  }

  document.addEventListener("submit", (event) => {
    if (event.target.id === "verdict") { event.preventDefault(); judge(event.submitter); }
    if (event.target.id === "undo") { event.preventDefault(); undo(); }
  }, true);

  addEventListener("online", () => pending && judge(pending));

  for (const name of ["approve", "fix", "defer"]) {
    writ.action(name, () => $(`[data-action=${name}]:enabled`, form() || document)?.click(), { judges: true });
  }
  writ.action("undo", undo, { judges: true });
  // The note is in the box of the reasons; who only wants to write one sees nothing of rejecting.
  function open(noting) {
    const reasons = $("#reasons");
    if (!reasons) return;
    reasons.classList.toggle("noting", noting);
    reasons.open = true;
    if (noting) $("[name=note]").focus();
  }

  writ.action("reject", () => open(false));
  writ.action("comment", () => open(true));

  writ.action("digit", (digit) => {
    const reason = $("#reasons:not(.noting)")?.open && $(`[data-digit="${digit}"]`);
    if (!reason || !writ.seen()) return;
    reason.checked = true;
    if (reason.value === "other" && !$("[name=note]").value.trim()) return $("[name=note]").focus();
    $("#reasons [value=REJECT]").click();
  });

  writ.action("submit", () => {
    const reasons = $("#reasons");
    if (pending) return judge(pending);
    if (!writ.seen()) return;
    document.activeElement.blur();
    if ($("[name=reason]:checked")) $("[value=REJECT]", reasons).click();
    else if (reasons?.matches(".noting[open]")) reasons.open = false;
    else if (reasons && !reasons.open) $("[data-action=approve]:enabled")?.click();
  });

  writ.action("leave", () => {
    document.activeElement.blur();
    const reasons = $("#reasons");
    if (!reasons?.open) return;
    $$("[name=reason]", reasons).forEach((reason) => { reason.checked = false; });
    reasons.open = false;
  });

  // What the page calls an element: an argument by its name, a step, a read or a write by its number.
  function named(element) {
    const step = $(".step-number", element);
    return (step ? `step ${step.textContent}` : $(".k, .badge", element)?.textContent || element.id).trim();
  }

  document.addEventListener("toggle", (event) => {
    if (event.target.id === "reasons" && !event.target.open) event.target.classList.remove("noting");
    const pointed = event.target.id === "reasons" && event.target.open && document.getElementById(form().elements.focus.value);
    const name = pointed && named(pointed);
    if (name) $("#pointed").textContent = `It points at ${name}.`;
  }, true);

  setInterval(() => { const clock = $(".clock"); if (clock) clock.textContent = `${writ.seconds()} s`; }, 1000);

  writ.tell = tell;
})();
