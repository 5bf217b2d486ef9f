"""
The Python of a script, between C{%{} and C{}%}: assertions about the connection's state.

It is never run. It is parsed, and the few kinds of statements and expressions that scripts need are
computed here over numbers and strings of bounded size: whatever else it holds is refused.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from netlab.tcp.script.language.errors import DifferenceError, NotSupportedError, ScriptSyntaxError

#: The longest piece of Python; the kernel's have a few hundred characters. A bound on the work, as
#: there are no loops, and on the depth of the tree that Python's parser makes.
CODE_MAX_CHARACTERS: Final = 4096

_NUMBER_MAX_BITS: Final = 256
_STRING_MAX: Final = 65_536

#: How wide a string may be made by a format: "%1000000000d" is short and its result is not.
_WIDE_FORMAT: Final = re.compile(r"%[^a-zA-Z%]*(?:\d{3}|\*)")

_Value = bool | int | float | str | None

_BINARY: Final[Mapping[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.RShift: operator.rshift,
    ast.LShift: operator.lshift,
}

_UNARY: Final[Mapping[type[ast.unaryop], Callable[[Any], Any]]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Invert: operator.invert,
}

_COMPARISONS: Final[Mapping[type[ast.cmpop], Callable[[Any, Any], Any]]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_FUNCTIONS: Final[Mapping[str, Callable[..., Any]]] = {
    "abs": abs,
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "max": max,
    "min": min,
    "round": round,
    "str": str,
}


class Claims:
    """
    What a script's Python has said so far: names keep their values from one piece to the next.
    """

    def __init__(self) -> None:
        self._names: dict[str, _Value] = {}

    def check(self, text: str, figures: Mapping[str, int], line: int) -> None:
        """
        Compute a piece of Python.

        @param figures: names and values that it may use.
        @param line: of the script where it begins.
        @raise DifferenceError: an assertion does not hold.
        @raise NotSupportedError: it holds what is not computed here.
        @raise ScriptSyntaxError: it is no Python.
        """
        if len(text) > CODE_MAX_CHARACTERS:
            raise ScriptSyntaxError(line, f"more than {CODE_MAX_CHARACTERS} characters of Python")
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise ScriptSyntaxError(line, f"it is no Python: {type(error).__name__}") from error
        try:
            self._run(tree.body, figures, line)
        except RecursionError as error:
            raise NotSupportedError(line, "an expression nested that deep") from error

    def _run(self, body: list[ast.stmt], figures: Mapping[str, int], line: int) -> None:
        for statement in body:
            at = line + statement.lineno - 1
            expressions = _Expressions(self._names, figures, at)
            match statement:
                case ast.Assert():
                    if not expressions.value(statement.test):
                        raise DifferenceError(at, _failure(statement, expressions))
                case ast.Assign(targets=[ast.Name(id=name)]):
                    self._names[name] = expressions.value(statement.value)
                case ast.AugAssign(target=ast.Name(id=name), op=sign, value=value):
                    left = ast.Name(id=name)
                    self._names[name] = expressions.value(
                        ast.BinOp(left=left, op=sign, right=value)
                    )
                case ast.If():
                    holds = expressions.value(statement.test)
                    self._run(statement.body if holds else statement.orelse, figures, line)
                case ast.Expr(value=ast.Call(func=ast.Name(id="print"), args=arguments)):
                    for argument in arguments:
                        expressions.value(argument)
                case ast.Pass():
                    pass
                case _:
                    raise NotSupportedError(at, f"Python's {type(statement).__name__} statement")


def _failure(statement: ast.Assert, expressions: _Expressions) -> str:
    names = sorted({node.id for node in ast.walk(statement.test) if isinstance(node, ast.Name)})
    seen = ", ".join(
        f"{name} is {expressions.value(ast.Name(id=name))}"
        for name in names
        if name not in _FUNCTIONS
    )
    return f"expected {ast.unparse(statement.test)[:200]}; {seen or 'it is false'}"


class _Expressions:
    """
    Computes expressions over the names of one moment.
    """

    def __init__(self, names: Mapping[str, _Value], figures: Mapping[str, int], line: int) -> None:
        self._names = names
        self._figures = figures
        self._line = line

    def value(self, node: ast.expr) -> _Value:
        """
        Compute one.
        """
        try:
            result = self._compute(node)
        except (ArithmeticError, TypeError, ValueError) as error:
            raise ScriptSyntaxError(self._line, f"Python: {error}"[:200]) from error
        if isinstance(result, int) and result.bit_length() > _NUMBER_MAX_BITS:
            raise NotSupportedError(self._line, f"a number of more than {_NUMBER_MAX_BITS} bits")
        if isinstance(result, str) and len(result) > _STRING_MAX:
            raise NotSupportedError(self._line, f"a string of more than {_STRING_MAX} characters")
        return result

    def _compute(self, node: ast.expr) -> _Value:
        match node:
            case ast.Constant(value=bool() | int() | float() | str() | None as constant):
                return constant
            case ast.Name(id=name):
                return self._name(name)
            case ast.BoolOp(op=ast.And(), values=values):
                return all(self.value(part) for part in values)
            case ast.BoolOp(values=values):
                return any(self.value(part) for part in values)
            case ast.UnaryOp(op=sign, operand=operand):
                negated: _Value = _UNARY[type(sign)](self.value(operand))
                return negated
            case ast.BinOp(left=left, op=sign, right=right):
                return self._binary(sign, left, right)
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                return self._comparison(left, ops, comparators)
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self.value(body) if self.value(test) else self.value(orelse)
            case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
                if name in _FUNCTIONS:
                    return self._call(name, [self.value(part) for part in arguments])
            case _:
                pass
        raise NotSupportedError(self._line, f"Python's {type(node).__name__} expression")

    def _name(self, name: str) -> _Value:
        if name in self._figures:
            return self._figures[name]
        if name in self._names:
            return self._names[name]
        raise NotSupportedError(self._line, f"the figure {name[:80]}")

    def _call(self, name: str, arguments: list[_Value]) -> _Value:
        if name == "int" and any(isinstance(part, str) and len(part) > 80 for part in arguments):
            raise NotSupportedError(self._line, "a number of more than 80 digits")
        result: _Value = _FUNCTIONS[name](*arguments)
        return result

    def _binary(self, sign: ast.operator, left_node: ast.expr, right_node: ast.expr) -> _Value:
        left = self.value(left_node)
        if isinstance(sign, ast.Mod) and isinstance(left, str):
            return self._formatted(left, right_node)
        right = self.value(right_node)
        if type(sign) not in _BINARY:
            raise NotSupportedError(self._line, f"Python's operator {type(sign).__name__}")
        texts = isinstance(left, str) + isinstance(right, str)
        if texts and not (texts == 2 and isinstance(sign, ast.Add)):
            raise NotSupportedError(self._line, "this arithmetic with strings")
        if isinstance(sign, ast.LShift) and isinstance(right, int) and right > _NUMBER_MAX_BITS:
            raise NotSupportedError(self._line, f"a shift by more than {_NUMBER_MAX_BITS} bits")
        result: _Value = _BINARY[type(sign)](left, right)
        return result

    def _formatted(self, template: str, node: ast.expr) -> str:
        if _WIDE_FORMAT.search(template):
            raise NotSupportedError(self._line, "a format with a width of three digits or more")
        parts = node.elts if isinstance(node, ast.Tuple) else [node]
        return template % tuple(self.value(part) for part in parts)

    def _comparison(
        self, left_node: ast.expr, signs: list[ast.cmpop], comparators: list[ast.expr]
    ) -> bool:
        left = self.value(left_node)
        for sign, node in zip(signs, comparators, strict=True):
            if isinstance(sign, ast.In | ast.NotIn) and isinstance(
                node, ast.Tuple | ast.List | ast.Set
            ):
                found = left in [self.value(part) for part in node.elts]
                if found is isinstance(sign, ast.NotIn):
                    return False
                continue
            if type(sign) not in _COMPARISONS:
                raise NotSupportedError(self._line, f"Python's {type(sign).__name__} comparison")
            right = self.value(node)
            if not _COMPARISONS[type(sign)](left, right):
                return False
            left = right
        return True
