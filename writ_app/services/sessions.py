"""Who is signed in, as every request asks it: session, person, keys and places in teams, by one query that is planned once per connection.

A session is a row of its owner's, who can see and end it. It also knows when its owner last proved to be there (`is_fresh`), and whether
by a second factor.
"""

import re
from contextvars import ContextVar
from datetime import datetime, timedelta
from typing import Any

from allauth.account.signals import authentication_step_completed
from django.conf import settings
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import SessionBase
from django.dispatch import receiver
from django.http import HttpRequest

from writ_app.adapters.logs import about
from writ_app.models import clock
from writ_app.models.accounts import Membership, ReviewerKeys, Session, Team, User
from writ_app.models.prepared import ALL, Joined
from writ_app.services.accounts import in_teams
from writ_app.services.audit import record

SEEN_EVERY = timedelta(minutes=5)
"""How exactly is kept when somebody was last here: a row is written once in that time, and not with every request."""

FRESH = "fresh_at"
"""Keys of the session: when (seconds since 1970) its owner last gave a password or a second factor, …"""
SECOND_FACTOR = "second_factor"
"""… whether they gave a second one in this session, …"""
BEGUN = "begun_at"
AGENT = "agent"
"""… when it began, and by what browser."""

_SESSION = Joined(
    """
    FROM writ_app_session AS session
    LEFT JOIN writ_app_user AS person ON person.id = session.user_id
    LEFT JOIN writ_app_reviewerkeys AS keys ON keys.user_id = person.id
    LEFT JOIN writ_app_membership AS membership ON membership.user_id = person.id
    LEFT JOIN writ_app_team AS team ON team.id = membership.team_id
    WHERE session.session_key = %(key)s AND session.expire_date > %(now)s ORDER BY membership.id
    """,
    {
        "session": (Session, ALL),
        "person": (User, ALL),
        "keys": (ReviewerKeys, ALL),
        "membership": (Membership, ALL),
        "team": (Team, ALL),
    },
)
_came: ContextVar[User | None] = ContextVar("came", default=None)
"""Whose session was loaded in this request, until somebody asks who it is: `Backend.get_user` is told a number and nothing else."""


class SessionStore(db.SessionStore):
    """Kept in the database, so that who signs out is out at once in every process."""

    seen_at: datetime | None = None

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        _came.set(None)  # every request makes one

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def load(self) -> dict[str, Any]:
        found = _SESSION.rows({"key": self.session_key, "now": clock.now()})
        if not found:  # as the parent does: the key of none is given to nobody
            self._session_key = None
            return {}
        session, person, keys, *_ = found[0]
        self.seen_at = session.seen_at
        if person is not None:
            person.came_with = in_teams(person, [row[3:] for row in found if row[3]])
            person._state.fields_cache["review_keys"] = keys
            _came.set(person)
        kept: dict[str, Any] = self.decode(session.session_data)
        return kept

    def get_expiry_date(self, **kwargs: Any) -> datetime:
        """By the clock that `load` asks."""
        expires: datetime = super().get_expiry_date(
            **{"modification": clock.now(), **kwargs}
        )
        return expires

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        row: Any = super().create_model_instance(data)
        now = clock.now()
        user = data.get("_auth_user_id")
        row.user_id = int(user) if user else None
        row.agent = str(data.get(AGENT, ""))[:80]
        begun = data.get(BEGUN)
        row.created_at = datetime.fromisoformat(begun) if begun else now
        row.seen_at = self.seen_at = now
        return row  # type: ignore[no-any-return]


class Backend(ModelBackend):
    def get_user(self, user_id: int) -> User | None:
        came = _came.get()
        _came.set(None)
        if came is None or came.pk != user_id:
            return super().get_user(user_id)
        return came if self.user_can_authenticate(came) else None


# --- who was here, and when -----------------------------------------------------------------------------------------------------


def note_seen(session: SessionBase, membership: Membership | None) -> None:
    """Keep when the person was here, and in which team; nothing is written more often than every SEEN_EVERY."""
    now = clock.now()
    seen_at: datetime | None = getattr(session, "seen_at", None)
    if seen_at and now - seen_at > SEEN_EVERY:
        Session.objects.filter(pk=session.session_key).update(seen_at=now)
    if membership is not None and now - membership.seen_at > SEEN_EVERY:
        Membership.objects.filter(pk=membership.pk).update(seen_at=now)


def sessions_of(user: User) -> list[Session]:
    """The person's sign-ins that are not over, latest used first."""
    alive = user.sessions.filter(expire_date__gt=clock.now())
    return list(alive.order_by("-seen_at", "session_key"))


def end_sessions(user: User, *, but: str | None = None, only: str | None = None) -> int:
    """End the person's sessions: all, all but one, or only one. How many ended."""
    rows = user.sessions.all()
    if only is not None:
        rows = rows.filter(pk=only)
    ended, _ = rows.exclude(pk=but).delete()
    return ended


# --- fresh proof ----------------------------------------------------------------------------------------------------------------


def is_fresh(session: SessionBase) -> bool:
    """Whether the person has given a password or a second factor within WRIT_REAUTH_MINUTES."""
    age = clock.now().timestamp() - session.get(FRESH, 0)
    return bool(0 <= age < settings.REAUTH_SECONDS)


def refresh(session: SessionBase) -> None:
    """The person has just proved to be there. The session gets a new key, as with everything that gives it more rights."""
    session[FRESH] = clock.now().timestamp()
    session.cycle_key()


@receiver(user_logged_in, dispatch_uid="writ.sessions")
def begin(sender: Any, request: HttpRequest | None, user: User, **kwargs: Any) -> None:
    """Note in the new session what its owner will want to know of it."""
    if request is None:
        return
    now = clock.now()
    request.session[FRESH] = now.timestamp()
    request.session[BEGUN] = now.isoformat()
    request.session[AGENT] = told_by(request.headers.get("User-Agent", ""))
    with about(user=user.pk):
        factor = bool(request.session.get(SECOND_FACTOR))
        record("person.sign_in", team=None, row=user, after={"second_factor": factor})


@receiver(user_logged_out, dispatch_uid="writ.sessions")
def ended(sender: Any, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        with about(user=user.pk):
            record("person.sign_out", team=None, row=user)


@receiver(authentication_step_completed, dispatch_uid="writ.sessions")
def noted(sender: Any, request: HttpRequest, method: str, **kwargs: Any) -> None:
    if method == "mfa":
        request.session[SECOND_FACTOR] = True


# More particular ones first: nearly every browser calls itself by several names.
_BROWSERS = {
    r"Edg(e|A|iOS)?/": "Edge",
    r"OPR/": "Opera",
    r"Firefox/|FxiOS/": "Firefox",
    r"Chrom(e|ium)/|CriOS/": "Chrome",
    r"Safari/": "Safari",
    r"curl/|python|Go-http": "a program",
}
_SYSTEMS = {
    r"Android": "Android",
    r"iPhone|iPad": "iOS",
    r"Windows": "Windows",
    r"Mac OS X": "macOS",
    r"CrOS": "ChromeOS",
    r"Linux": "Linux",
}


def told_by(agent: str) -> str:
    """Browser and system in words: a hint for whoever looks for a session that is not theirs, and no more."""
    browser = next((n for p, n in _BROWSERS.items() if re.search(p, agent)), "")
    system = next((n for p, n in _SYSTEMS.items() if re.search(p, agent)), "")
    return " on ".join(filter(None, (browser or "A browser", system)))
