"""A browser tab under watch: whatever hostile text could do there is written down."""

from typing import Any

from playwright.sync_api import Page, Request, Route

from tests.hostile.payloads import MADE

RAN = "hostile text ran"
LOOK = """
([made, home]) => {
  const found = [];
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 160)}`);
  for (const element of document.querySelectorAll(made)) say("made", element);
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (/^on|^(data-)?hx-on|^(data-)?hx-(ext|boost$)|^srcdoc$|[<"'`]/i.test(name)) say(`attribute ${name}`, element);
      if (!/^(xlink:)?href$|^src$|^action$|^formaction$|^data$|^poster$|^(data-)?hx-(get|post|put|delete|patch)$/i.test(name)) continue;
      const there = new URL(value, document.baseURI);
      if (there.origin !== home && !(there.protocol === "data:" && element.localName === "img")) say(`leads to ${there.href.slice(0, 60)}`, element);
    }
  }
  return found.slice(0, 10);
}
"""


class Watch:
    """Everything that happens in a page and should not, with where it was; answers only to the server at `home` go out."""

    def __init__(self, page: Page, home: str) -> None:
        self.page = page
        self.home = home
        self.seen: list[str] = []
        page.context.add_init_script(f"globalThis.__xss = () => console.error('{RAN}')")
        page.context.route("**/*", self._route)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(f"error: {error}"))
        page.on("popup", lambda popup: self._note(f"popup: {popup.url}"))
        page.on("download", lambda file: self._note(f"download: {file.url}"))
        page.on("dialog", self._dialog)

    def look(self) -> None:
        """What the document holds by now that nobody of ours put there."""
        self.seen += [
            f"{self.page.url}: {one}"
            for one in self.page.evaluate(LOOK, [MADE, self.home])
        ]

    def _note(self, what: str) -> None:
        self.seen.append(f"{self.page.url}: {what[:300]}")

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self._note(message.text)

    def _dialog(self, dialog: Any) -> None:
        self._note(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _route(self, route: Route, request: Request) -> None:
        if request.url.startswith((self.home, "data:", "blob:")):
            route.continue_()
        else:
            self._note(f"request: {request.url}")
            route.abort()
