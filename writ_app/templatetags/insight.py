"""What pages about many items print with: links to siblings, and plots drawn as SVG by the server."""

from typing import Any

from django import template

from writ_app.models.review import ReviewItem
from writ_app.services.review.siblings import kinship

register = template.Library()


@register.inclusion_tag("components/siblings_link.html")
def siblings_link(item: ReviewItem) -> dict[str, Any]:
    """How many siblings an item has, and whether they agree; leads to the comparison."""
    return {"kin": kinship(item)}
