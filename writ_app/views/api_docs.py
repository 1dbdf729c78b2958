"""The API's documentation: pages of ours, drawn from the schema, that load nothing from anywhere."""

from django.http import Http404, HttpResponse

from writ_app.services.api_docs import chapters, problems
from writ_app.views.access import MemberRequest, viewer_required
from writ_app.views.page import render_page


@viewer_required
def api_docs(request: MemberRequest) -> HttpResponse:
    context = {"chapters": chapters(), "problems": problems()}
    return render_page(request, "api/docs.html", context)


@viewer_required
def api_chapter(request: MemberRequest, slug: str) -> HttpResponse:
    every = chapters()
    chapter = next((one for one in every if one.slug == slug), None)
    if chapter is None:
        raise Http404
    context = {"chapters": every, "chapter": chapter}
    return render_page(request, "api/chapter.html", context)
