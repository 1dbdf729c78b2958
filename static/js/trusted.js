// What may be taken for HTML, everywhere on these pages: an answer of the server that is parsed into a document of its own, where
// nothing runs, before htmx or a script of ours takes its parts over. Every other way from text to markup or code is refused by the
// browser (`require-trusted-types-for 'script'`): innerHTML, writing into the document, eval, javascript:, the address of a script.
"use strict";
(() => {
  const PARSERS = ["DOMParser parseFromString", "Document parseHTMLUnsafe"];
  globalThis.trustedTypes?.createPolicy("default", {
    createHTML: (text, _, sink) => (PARSERS.includes(sink) ? text : null),
  });
})();
