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

    def __init__(
        self, session: EnvironmentSession, tree: "_Tree", *, changed: bool = False
    ):
        self.session = session
        self._tree = tree
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
            result = session.call(call)
            found = result, Course(session, self._tree, changed=True)
            self._next[key] = found
            self._tree.courses += 1
        return found

    @cached_property
    def effect(self) -> str:
        """Of all that was changed (see Session.effect)."""
        return self.session.state.effect()


class _Tree:
    """All courses of an environment, from its base on."""

    def __init__(self, environment: Environment):
        self._environment = environment
        self._base = Course(environment.session(), self)
        self.courses = 0

    def base(self) -> Course:
        if self.courses >= KEPT:
            self._base, self.courses = Course(self._environment.session(), self), 0
        return self._base


@lru_cache(maxsize=16)
def _tree_of(environment: Environment) -> _Tree:
    return _Tree(environment)


def base_of(environment: Environment) -> Course:
    """Where all conversations in an environment begin."""
    return _tree_of(environment).base()
