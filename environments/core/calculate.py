"""The arithmetic tool that every domain shares: a Python expression over digits and `+-*/(). ` (tau2 SPEC §5)."""

import ast
import operator
import warnings
from typing import Any

from environments.core.errors import ToolError

_ALLOWED = frozenset("0123456789+-*/(). ")
_MAX_BITS = 1_000_000
_OPERATORS: dict[type[ast.operator], Any] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}


def calculate(expression: Any) -> str:
    """Value of `expression` as a float rounded to 2 decimals. Raises ToolError and the Python errors an evaluation gives."""
    if not all(char in _ALLOWED for char in expression):
        raise ToolError("Invalid characters in expression")
    if not isinstance(expression, str):
        raise TypeError("eval() arg 1 must be a string, bytes or code object")
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", SyntaxWarning
        )  # `2(3)` warns while it is parsed
        tree = ast.parse(expression.lstrip(" \t"), "<string>", "eval")
    return str(round(float(_value(tree.body)), 2))


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return +_value(operand)
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return _power(_value(left), _value(right))
        case ast.BinOp(left=left, op=op, right=right):
            return _OPERATORS[type(op)](_value(left), _value(right))
        case ast.Tuple(elts=elts):
            return tuple(_value(element) for element in elts)
        case ast.Call(func=func):
            raise TypeError(f"'{type(_value(func)).__name__}' object is not callable")
    raise ToolError("Invalid characters in expression")


def _power(base: Any, exponent: Any) -> Any:
    """Python's `**`, except that a power too large for any float says so at once instead of after hours."""
    if (
        isinstance(base, int)
        and isinstance(exponent, int)
        and exponent > 0
        and abs(base) > 1
        and base.bit_length() * exponent > _MAX_BITS
    ):
        raise OverflowError("int too large to convert to float")
    if (
        base == 0
        and isinstance(base, int | float)
        and isinstance(exponent, int | float)
        and exponent < 0
    ):
        raise ZeroDivisionError(
            "0.0 cannot be raised to a negative power"
        )  # worded differently by later Pythons
    return base**exponent
