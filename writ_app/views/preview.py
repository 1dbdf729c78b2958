"""What a model sees of a trajectory in each export format, and which of it is trained on."""

import json

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from writ_app.forms.preview import PreviewForm
from writ_app.models.review import ReviewItem
from writ_app.services.preview import Preview, preview
from writ_app.views.access import MemberRequest, viewer_required
from writ_app.views.page import render_page


@viewer_required
def trajectory_preview(request: MemberRequest, pk: int) -> HttpResponse:
    form = PreviewForm(request.GET)
    item = _item(request, pk)
    page = _preview(item, form)
    context = {
        "item": item,
        "form": form,
        "page": page,
        "number": min(form.chosen("row"), max(page.rows, 1)),
        "row": json.dumps(page.row, ensure_ascii=False, indent=1)
        if page.row and "show_row" in request.GET
        else "",
        "query": _without(request, "show_row"),
    }
    return render_page(request, "release/preview.html", context)


@viewer_required
def preview_raw(request: MemberRequest, pk: int) -> HttpResponse:
    """The row as the file of its format has it, for a file viewer: never shown by the browser itself."""
    form = PreviewForm(request.GET)
    page = _preview(_item(request, pk), form)
    text = json.dumps(page.row, ensure_ascii=False, indent=1)
    response = HttpResponse(text, content_type="text/plain; charset=utf-8")
    name = f"trajectory-{pk}-{page.form.slug}.json"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _item(request: MemberRequest, pk: int) -> ReviewItem:
    visible = ReviewItem.objects.visible_to(request.user)
    return get_object_or_404(
        visible.select_related("trajectory", "task__environment").defer(
            "task__environment__state"
        ),
        pk=pk,
    )


def _preview(item: ReviewItem, form: PreviewForm) -> Preview:
    return preview(
        item,
        slug=form.chosen("format"),
        family=form.chosen("family"),
        options=form.options(),
        number=form.chosen("row"),
    )


def _without(request: HttpRequest, name: str) -> str:
    """The address' question without one of its names."""
    asked = request.GET.copy()
    asked.pop(name, None)
    return asked.urlencode()
