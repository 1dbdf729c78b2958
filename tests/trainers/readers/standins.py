"""Stand-ins for libraries that a trainer imports beside what is read of it.

A trainer's package brings in torch, model code and clusters as soon as any of it is imported; the parts that read rows use
none of that. `absent` lets such names be imported as inert placeholders where they are not installed, and `bare` opens a
package without running its `__init__`. What is exercised is always the trainer's own code.
"""

import importlib.abc
import importlib.machinery
import json
import os
import sys
import types
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ANSWER = "--- answer ---"
"""Trainers print as well."""


class _Named(type):
    """Classes that have whatever is asked of them: more of their kind."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _made(name)

    def __or__(cls, other: Any) -> Any:
        return cls


def _made(name: str) -> Any:
    return _Named(name, (), {"__init__": _ignore, "__call__": _same})


def _ignore(*_: Any, **__: Any) -> None:
    """Takes anything."""


def _same(self: Any, *arguments: Any, **_: Any) -> Any:
    """As a decorator it changes nothing."""
    return arguments[0] if arguments else self


class _Placeholder(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name == "__version__":
            return "0"
        if name.startswith("__"):
            raise AttributeError(name)
        setattr(self, name, _made(name))
        return getattr(self, name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, names: Sequence[str]):
        self.names = frozenset(names)

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        if name in self.names or name.split(".")[0] in self.names:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> types.ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """There is nothing to run."""


def absent(*names: str) -> None:
    """Let these be imported if they are not installed. Asked last, so that whatever is installed is used."""
    sys.meta_path.append(_Finder(names))


def bare(*packages: str) -> None:
    """Open packages without their `__init__`, which imports more than the module that is wanted."""
    root = Path(os.environ["PYTHONPATH"])
    for name in packages:
        module = types.ModuleType(name)
        module.__path__ = [str(root.joinpath(*name.split(".")))]
        sys.modules[name] = module


def replaced(*modules: str) -> None:
    """Put placeholders for these, though they could be found: what they import is not."""
    for name in modules:
        sys.modules[name] = _Placeholder(name)


def answer(read: Callable[[Any], Any]) -> None:
    """Read JSON values from standard input, one in a line, and write what is made of each as a line after a line with ANSWER."""
    for line in sys.stdin:
        made = json.dumps(read(json.loads(line)))
        sys.stdout.write(f"\n{ANSWER}\n{made}\n")
        sys.stdout.flush()
