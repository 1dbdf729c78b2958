"""API tokens: made, shown once, listed, revoked."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from writ_app.forms.tokens import TokenForm
from writ_app.services.tokens import BadToken, make_token, revoke_token, tokens_for
from writ_app.views.access import MemberRequest, fresh_required, viewer_required
from writ_app.views.page import render_page

LISTED = 200


@never_cache
@viewer_required
@fresh_required("write")
def tokens(request: MemberRequest) -> HttpResponse:
    """The person's tokens, an owner's page those of the team too. A POST makes one, and this answer alone shows it."""
    now = timezone.now()
    posted = request.method == "POST"
    form = TokenForm(
        request.POST if posted else None,
        membership=request.membership,
    )
    made = ""
    if posted and form.is_valid():
        try:
            _, made = make_token(
                membership=request.membership,
                name=form.cleaned_data["name"],
                scope=form.scope_chosen,
                expires_at=form.expires_at(now),
                now=now,
            )
        except BadToken as error:
            form.add_error(None, str(error))
        else:
            form = TokenForm(membership=request.membership)
    context: dict[str, Any] = {
        "form": form,
        "made": made,
        "tokens": tokens_for(request.membership)[:LISTED],
        "now": now,
    }
    status = 422 if form.errors else 200
    return render_page(request, "api/tokens.html", context, status=status)


@require_POST
@viewer_required
def token_revoke(request: MemberRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(tokens_for(request.membership), pk=pk)
    if revoke_token(token=row, now=timezone.now()):
        messages.success(request, f"{row} opens nothing any more.")
    return redirect("tokens")
