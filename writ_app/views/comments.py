"""What people say of a trajectory, and where they were named."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from writ_app.engine.errors import WritError
from writ_app.forms.edits import CommentForm, MentionsForm
from writ_app.models import clock
from writ_app.models.accounts import Role
from writ_app.models.curation import Comment, Mention
from writ_app.models.review import ReviewItem
from writ_app.services.review.blind import may_see_others
from writ_app.services.review.comments import (
    add_comment,
    list_mentions,
    see_mentions,
    talk_about,
    team_names,
    withdraw_comment,
)
from writ_app.services.review.edits import may_withdraw
from writ_app.services.review.lineage import versions_of
from writ_app.views.access import (
    MemberRequest,
    guard,
    reviewer_required,
    viewer_required,
)
from writ_app.views.page import render_page, wants_fragment


@guard(Role.VIEWER, write=Role.REVIEWER)
def talk(request: MemberRequest, pk: int) -> HttpResponse:
    """Versions and comments of an item: a part of the desk, and a page of its own."""
    item = get_object_or_404(
        ReviewItem.objects.visible_to(request.user).defer("words", "search"), pk=pk
    )
    form = CommentForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _kept(request, item, form):
        if not wants_fragment(request):
            return redirect("talk", pk=pk)
        form = CommentForm()
    context = {
        "item": item,
        "form": form,
        "talk": talk_about(item, request.user),
        "names": team_names(item.team),
        "versions": versions_of(item, request.user),
        "may_withdraw": may_withdraw(version=item, user=request.user),
    }
    status = 422 if form.errors else 200
    return render_page(
        request, "review/talk.html", context, fragment="talk", status=status
    )


def _kept(request: MemberRequest, item: ReviewItem, form: CommentForm) -> bool:
    given = form.cleaned_data
    parent = None
    if given["parent"]:
        parent = get_object_or_404(item.comments, pk=given["parent"])
        if parent.author_id != request.user.pk and not may_see_others(
            request.user, item
        ):
            form.add_error(None, "Judge it first: others' comments are hidden so far.")
            return False
    try:
        add_comment(
            item=item,
            author=request.user,
            body=given["body"],
            parent=parent,
            message=given["message"],
            pointer=given["pointer"],
        )
    except WritError as error:
        form.add_error(None, str(error))
        return False
    return True


@require_POST
@reviewer_required
def comment_withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    own = Comment.objects.filter(item__team__in=request.user.team_ids)
    comment = get_object_or_404(own, pk=pk, author=request.user)
    withdraw_comment(comment=comment, user=request.user, at=clock.now())
    if not wants_fragment(request):
        messages.info(request, "Your comment is withdrawn.")
    return redirect("talk", pk=comment.item_id)


@viewer_required
def mentions(request: MemberRequest) -> HttpResponse:
    """Comments that name the user, the latest first."""
    if request.method == "POST":
        see_mentions(user=request.user, at=clock.now())
        return redirect("mentions")
    before = MentionsForm(request.GET).key()
    lines, more = list_mentions(user=request.user, before=before)
    context = {"lines": lines, "more": more, "first": before is None}
    return render_page(request, "review/mentions.html", context)


@viewer_required
def mention(request: MemberRequest, pk: int) -> HttpResponse:
    """To the comment; having been there, the mention is read."""
    own = Mention.objects.filter(
        user=request.user, comment__item__team__in=request.user.team_ids
    )
    row = get_object_or_404(own.select_related("comment"), pk=pk)
    see_mentions(user=request.user, at=clock.now(), mention=row)
    place = reverse("talk", args=[row.comment.item_id])
    return redirect(f"{place}#comment-{row.comment_id}")
