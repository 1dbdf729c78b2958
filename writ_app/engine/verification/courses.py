"""What writes do to a world, remembered: siblings write the same, so that most calls need not be made again.

A course is a state of the world that nothing changes any more. The base is frozen and every tool is a function of the state and its
arguments, so that the same call made in the same course gives the same result and leads to the same next course.
"""

import json
from functools import cached_property, lru_cache

from environments.core.environment import Environment, EnvironmentSession
from environments.core.tools import ToolCall, ToolResult

KEPT = 1024
"""Courses that are remembered of an environment (a few kilobytes each); beyond that all are dropped."""


class Course:
    """A world as some calls left it, and what follows from it. Its session must not be changed."""

    def __init__(self, session: EnvironmentSession, changed: bool = False):
        self.session = session
        self._changed = changed
        self._next: dict[tuple[str, str], tuple[ToolResult, Course]] = {}

    def answer(self, call: ToolCall) -> ToolResult:
        """The result of a call that changes nothing."""
        session = self.session
        return session.environment.answer(call, session if self._changed else None)

    def after(self, call: ToolCall) -> "tuple[ToolResult, Course]":
        """The result of a call that may change something, and where it leads; what failed may have left something behind, too.

        Results repeat arguments as they are ordered, so that the order counts.
        """
        key = call.name, json.dumps(call.arguments)
        found = self._next.get(key)
        if found is None:
            session = self.session.fork()
            found = session.call(call), Course(session, changed=True)
            self._next[key] = found
        return found

    @cached_property
    def effect(self) -> str:
        """Of all that was changed (see Session.effect)."""
        return self.session.state.effect()


@lru_cache(maxsize=16)
def _courses(environment: Environment) -> "_Courses":
    return _Courses(environment)


class _Courses:
    """The beginning of all courses of an environment, as long as these are not too many."""

    def __init__(self, environment: Environment):
        self._environment = environment
        self._start = Course(environment.session())
        self._left = KEPT

    def start(self, writes: int) -> Course:
        self._left -= writes
        if self._left < 0:
            self._start = Course(self._environment.session())
            self._left = KEPT
        return self._start


def start_of(environment: Environment, writes: int) -> Course:
    """The base of an environment. `writes` is how many calls will be made from there that may change something."""
    return _courses(environment).start(writes)
