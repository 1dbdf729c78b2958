"""What is going on, and what to do next."""

from django.http import HttpResponse

from writ_app.models import clock
from writ_app.models.release import Release
from writ_app.models.synthesis import Batch
from writ_app.services.review import count_queue
from writ_app.services.synthesis import batches_progress
from writ_app.views.access import MemberRequest, viewer_required
from writ_app.views.page import render_page


@viewer_required
def home(request: MemberRequest) -> HttpResponse:
    batches = Batch.objects.visible_to(request.user)[:5]
    progress = batches_progress(batches)
    context = {
        "counts": count_queue(user=request.user, at=clock.now()),
        "batches": [(batch, progress[batch.pk]) for batch in batches],
        "releases": Release.objects.visible_to(request.user).frozen()[:3],
    }
    return render_page(request, "home.html", context)
