"""The formula of a `multi` grader: arithmetic over the names of its parts, and nothing else."""

import ast
import math
from collections.abc import Callable, Mapping
from itertools import product

MAX_LENGTH = 1000
MAX_DEPTH = 60

FUNCTIONS = frozenset({"min", "max", "abs", "floor", "ceil", "exp", "sqrt", "log"})
"""Those of OpenAI's multi grader."""

Bounds = tuple[float, float]


class FormulaError(ValueError):
    """The formula cannot be read, or has no finite value."""


def check_formula(text: str, names: frozenset[str]) -> None:
    """Raise `FormulaError` unless the formula is arithmetic over these names: + - * / ^, brackets, FUNCTIONS."""
    _check(_parse(text), names, 0)


def evaluate_formula(text: str, values: Mapping[str, float]) -> float:
    """The formula's value; raises `FormulaError` where it has none that is finite."""
    tree = _parse(text)
    _check(tree, frozenset(values), 0)
    try:
        result = _evaluate(tree, values)
    except (ArithmeticError, ValueError) as error:
        raise FormulaError(f"{text!r} has no value: {error}") from error
    if not math.isfinite(result):
        raise FormulaError(f"{text!r} is not finite")
    return result


def formula_bounds(text: str, bounds: Mapping[str, Bounds]) -> Bounds | None:
    """Bounds of the formula's value when each name lies in its bounds; null when none can be given."""
    tree = _parse(text)
    _check(tree, frozenset(bounds), 0)
    try:
        return _bound(tree, bounds)
    except (ArithmeticError, ValueError):
        return None


def _parse(text: str) -> ast.expr:
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"a formula has at most {MAX_LENGTH} characters")
    try:
        return ast.parse(" ".join(text.split()).replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise FormulaError(f"{text!r} is not a formula") from error


def _check(node: ast.expr, names: frozenset[str], depth: int) -> None:
    if depth > MAX_DEPTH:
        raise FormulaError(f"a formula nests at most {MAX_DEPTH} deep")
    match node:
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            if not -1e300 < value < 1e300:
                raise FormulaError("a number in the formula is too large")
        case ast.Name(id=name):
            if name not in names:
                raise FormulaError(f"{name!r} is not the name of a grader; there are {', '.join(sorted(names))}")
        case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.Pow()):
            _check(node.left, names, depth + 1)
            _check(node.right, names, depth + 1)
        case ast.UnaryOp(op=ast.UAdd() | ast.USub()):
            _check(node.operand, names, depth + 1)
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in FUNCTIONS:
            if not node.args or (len(node.args) > 1 and name not in ("min", "max")):
                raise FormulaError(f"{name} takes {'at least ' if name in ('min', 'max') else ''}one value")
            for argument in node.args:
                _check(argument, names, depth + 1)
        case _:
            raise FormulaError(f"only + - * / ^, brackets and {', '.join(sorted(FUNCTIONS))} may be used")


def _evaluate(node: ast.expr, values: Mapping[str, float]) -> float:
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return float(values[name])
        case ast.BinOp():
            return _operate(node.op, _evaluate(node.left, values), _evaluate(node.right, values))
        case ast.UnaryOp():
            operand = _evaluate(node.operand, values)
            return -operand if isinstance(node.op, ast.USub) else operand
        case ast.Call(func=ast.Name(id=name)):
            return _call(name, [_evaluate(argument, values) for argument in node.args])
        case _:
            raise FormulaError("not a formula")


def _operate(operator: ast.operator, left: float, right: float) -> float:
    match operator:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
        case ast.Div():
            return left / right
        case _:
            return math.pow(left, right)


def _call(name: str, arguments: list[float]) -> float:
    match name:
        case "min":
            return min(arguments)
        case "max":
            return max(arguments)
        case _:
            functions: dict[str, Callable[[float], float]] = {
                "abs": abs,
                "floor": math.floor,
                "ceil": math.ceil,
                "exp": math.exp,
                "sqrt": math.sqrt,
                "log": math.log,
            }
            return float(functions[name](arguments[0]))


def _bound(node: ast.expr, bounds: Mapping[str, Bounds]) -> Bounds:
    """Interval arithmetic: every operation allowed here is monotone in each operand, so the ends bound it."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value), float(value)
        case ast.Name(id=name):
            return bounds[name]
        case ast.UnaryOp():
            low, high = _bound(node.operand, bounds)
            return (-high, -low) if isinstance(node.op, ast.USub) else (low, high)
        case ast.BinOp():
            left, right = _bound(node.left, bounds), _bound(node.right, bounds)
            if isinstance(node.op, ast.Div) and right[0] <= 0.0 <= right[1]:
                raise FormulaError("the divisor may be zero")
            if isinstance(node.op, ast.Pow) and left[0] < 0.0:
                raise FormulaError("the base may be negative")
            return _ends([_operate(node.op, a, b) for a, b in product(left, right)])
        case ast.Call(func=ast.Name(id=name)):
            inner = [_bound(argument, bounds) for argument in node.args]
            if name == "abs" and inner[0][0] < 0.0 < inner[0][1]:
                return 0.0, max(-inner[0][0], inner[0][1])
            return _ends([_call(name, list(ends)) for ends in zip(*inner, strict=True)])
        case _:
            raise FormulaError("not a formula")


def _ends(values: list[float]) -> Bounds:
    if not all(math.isfinite(value) for value in values):
        raise FormulaError("the value may be infinite")
    return min(values), max(values)
