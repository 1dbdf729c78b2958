"""Operations that look at many items at once, and at where one was named."""

from tests.api.matrix.example import Example, key_of
from writ_app.models.review import ReviewItem


def cluster(side):
    return {"key": ReviewItem.objects.get(pk=side.trajectory.pk).cluster}


EXAMPLES = {
    "get_dashboard": Example(
        query=lambda side: {"batch": str(side.batch.pk), "days": "7"}
    ),
    "list_clusters": Example(query={"order": "open"}),
    "get_cluster": Example(path=cluster),
    "get_siblings": Example(path=key_of("trajectory")),
    "list_mentions": Example(),
    "count_unread_mentions": Example(),
    "see_mentions": Example(body=lambda side: {}),
}
