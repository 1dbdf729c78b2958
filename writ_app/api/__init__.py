"""The REST API: `/api/v1/`, the door for programs. docs/api.md tells its users of it; this tells who adds to it.

- One module per room; each has `urlpatterns`, which writ_app/api/urls.py gathers.
- A class per address, from `Endpoint`, with `tag` (the chapter of the documentation) and `access` (least role to read, least to write).
- A method per operation, under `@operation(name, …)`: its first sentence is the summary, the rest the description. It takes `request`, the
  arguments of the address, and `query` or `body` if it declares them: validated values, never what was sent.
- It returns what `answer` (a serializer) prints: a row, a value, a mapping; or a response of its own for files.
- Lists take `query=PageQuery` (or a subclass with filters) and return `paging.page(…)`.
- What a form of the web judges is judged by that form here too: `forms.fill(form)` raises what it says as a problem.
- `WritError` becomes a problem by itself: problems.STATUS says which is no conflict (409) but content that is refused (422).
- 400 is what the schema forbids; 422 what only the rules of the app can tell; so fields say all that they know.
- Each row is found by `found(queryset.visible_to(request.user), pk=pk)`: 404 for what is of others.
- Whatever changes something runs in one transaction, unless `atomic=False`, and may be sent twice under one Idempotency-Key.
- After it: an example in tests/api/matrix.py, which fails for an operation without one.
"""
