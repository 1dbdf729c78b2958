"""Pages that look at many items at once: siblings, clusters, the dashboard."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404

from writ_app.forms.insight import SiblingChoice
from writ_app.models.review import ReviewItem
from writ_app.services.review.siblings import build_siblings, family_of
from writ_app.views.access import MemberRequest, member_required
from writ_app.views.page import render_page


@member_required
def siblings(request: MemberRequest, pk: int) -> HttpResponse:
    """One trajectory beside others of the same task."""
    visible = ReviewItem.objects.visible_to(request.user).narrow()
    item = get_object_or_404(visible, pk=pk)
    family = family_of(item)
    form = SiblingChoice(request.GET, family=[one.pk for one in family])
    page = build_siblings(item=item, family=family, chosen=form.chosen())
    return render_page(
        request, "review/siblings.html", {"page": page, "family": family}
    )
