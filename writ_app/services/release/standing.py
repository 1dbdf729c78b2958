"""What became of released trajectories since."""

from django.db.models import Count

from writ_app.models.release import Release, ReleaseMember
from writ_app.models.synthesis import TrajectoryQuerySet


def released_but_rejected(
    trajectories: TrajectoryQuerySet,
) -> list[tuple[Release, int]]:
    """Releases that hold some of these though the verification rejects them by now, with how many. They stay as they are."""
    members = ReleaseMember.objects.filter(
        item__trajectory__in=trajectories, item__accepted=False
    )
    counts = dict(members.values_list("release").annotate(Count("id")))
    releases = Release.objects.frozen().filter(pk__in=counts)
    return [(release, counts[release.pk]) for release in releases]
