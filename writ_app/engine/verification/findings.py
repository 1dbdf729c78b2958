"""How a check says what it found."""

from collections.abc import Iterable

from writ_app.engine.types import Check, Owner


def passed(name: str, finding: str, where: Iterable[int] = ()) -> Check:
    return Check(name=name, passed=True, finding=finding, where=tuple(where))


def failed(
    name: str, finding: str, where: Iterable[int] = (), owner: Owner = Owner.AGENT
) -> Check:
    return Check(
        name=name, passed=False, finding=finding, owner=owner, where=tuple(where)
    )
