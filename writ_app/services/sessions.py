"""Who is signed in, as every request asks it: Django's sessions and users, by two queries that are planned once per connection."""

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from writ_app.models.accounts import User
from writ_app.models.prepared import ALL, Joined

_SESSION = Joined(
    "FROM django_session AS session WHERE session.session_key = %(key)s AND session.expire_date > %(now)s",
    {"session": (Session, ALL)},
)
_USER = Joined(
    "FROM writ_app_user AS person WHERE person.id = %(user)s", {"person": (User, ALL)}
)


class SessionStore(db.SessionStore):
    """Kept in the database, so that who signs out is out at once in every process."""

    def load(self) -> dict[str, Any]:
        found = _SESSION.rows({"key": self.session_key, "now": timezone.now()})
        if not found:  # as the parent does: the key of none is given to nobody
            self._session_key = None
            return {}
        ((session,),) = found
        kept: dict[str, Any] = self.decode(session.session_data)
        return kept


class Backend(ModelBackend):
    def get_user(self, user_id: int) -> User | None:
        for (user,) in _USER.rows({"user": user_id}):
            if self.user_can_authenticate(user):
                found: User = user
                return found
        return None
