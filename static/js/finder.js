// Finding words in a conversation: the server looks, also where a step is folded or was not fetched; here its answer is walked.
"use strict";
(() => {
  let sought = "";
  const RANGES = 500;

  function paint(step, words) {
    if (!CSS.highlights) return;
    const ranges = [], wanted = words.toLowerCase();
    const texts = document.createTreeWalker(step, NodeFilter.SHOW_TEXT);
    while (texts.nextNode() && ranges.length < RANGES) {
      const text = texts.currentNode.data.toLowerCase();
      for (let at = text.indexOf(wanted); at >= 0 && ranges.length < RANGES; at = text.indexOf(wanted, at + wanted.length)) {
        const range = new Range();
        range.setStart(texts.currentNode, at);
        range.setEnd(texts.currentNode, at + wanted.length);
        ranges.push(range);
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }

  async function show(hit) {
    document.querySelector(".hit.chosen")?.classList.remove("chosen");
    hit.classList.add("chosen");
    hit.scrollIntoView({ block: "nearest" });
    const step = document.getElementById(hit.dataset.step);
    if (!step) return;
    writ.reader.jump(step);
    if (!step.textContent.toLowerCase().includes(sought.toLowerCase())) await writ.reader.fill(step);
    paint(step, sought);
  }

  document.addEventListener("input", (event) => { if (event.target.id === "find") sought = event.target.value.trim(); });

  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "find" || event.key !== "Enter") return;
    const hits = [...document.querySelectorAll("#found .hit")];
    const at = hits.findIndex((one) => one.classList.contains("chosen"));
    if (!hits.length) return;
    event.preventDefault();
    show(hits[(at + (event.shiftKey ? -1 : 1) + hits.length) % hits.length]).then(() => event.target.focus({ preventScroll: true }));
  });

  document.addEventListener("click", (event) => {
    const hit = event.target.closest?.("a.hit");
    if (!hit || event.ctrlKey || event.metaKey || !document.getElementById(hit.dataset.step)) return;
    event.preventDefault();
    show(hit);
  });

  writ.action("find", () => {
    const field = document.getElementById("find");
    if (!field) return;
    writ.reader.open(field);
    field.focus();
    field.select();
  });
})();
