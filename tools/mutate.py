"""Small changes of a source text, one at a time: what a test suite should notice.

Comparisons, arithmetic, ``and`` and ``or``, conditions, whole numbers, truth
values, keyword arguments, returned values and statements without a result are
changed. Texts, annotations and decorators are left alone.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Mutant", "mutants_of"]

_COMPARISONS: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: Final[dict[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    function: str
    """The qualified name of the outermost function that holds the change."""
    line: int
    before: str
    after: str
    _tree: ast.Module
    _node: ast.AST
    _changed: ast.AST

    def tree(self) -> ast.Module:
        """Return the whole file with the change."""
        # The node stays itself in the copy, so that it is found there.
        whole = copy.deepcopy(self._tree, {id(self._node): self._node})
        replaced: ast.Module = _Replace(self._node, self._changed).visit(whole)
        ast.fix_missing_locations(replaced)
        return replaced


def mutants_of(source: str) -> Iterator[Mutant]:
    """Give every mutant of the functions in ``source``, one after the other."""
    tree = ast.parse(source)
    for name, function in _functions(tree, ""):
        compiled = any("jit" in ast.unparse(d) or "overload" in ast.unparse(d) for d in function.decorator_list)
        if compiled:
            # Their machine code is cached by the file that is on the disk.
            continue
        for node in _nodes(function.body):
            for changed in _changes(node):
                line = getattr(node, "lineno", 0)
                yield Mutant(name, line, ast.unparse(node), ast.unparse(changed), tree, node, changed)


class _Replace(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> Any:
        return self.new if node is self.old else self.generic_visit(node)


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, _Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _Function):
            yield prefix + child.name, child
        elif isinstance(child, ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        elif isinstance(child, (ast.If, ast.Try)) and "TYPE_CHECKING" not in ast.unparse(child)[:20]:
            yield from _functions(child, prefix)


def _nodes(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Give the nodes whose change could matter: not texts for people, and not annotations."""
    for node in body:
        yield from _inside(node)


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, (ast.Raise, ast.JoinedStr)):
        # What an error says is held by tests of its text; here it is whether it is raised.
        return
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_comment"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _inside(child)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    yield from _changed_expression(node)
    match node:
        case ast.If(test=ast.Name() | ast.Attribute() | ast.Call() as test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.IfExp(test=ast.Name() | ast.Attribute() | ast.Call() as test):
            yield _with(node, test=ast.UnaryOp(ast.Not(), test))
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield _with(node, value=ast.Constant(None))
        case ast.Expr(value=ast.Call()) | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield ast.copy_location(ast.Pass(), node)
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.copy_location(ast.Pass(), node)
        case ast.Break() | ast.Continue():
            yield ast.copy_location(ast.Pass(), node)


def _changed_expression(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _COMPARISONS:
            yield _with(node, ops=[_COMPARISONS[type(op)]()])
        case ast.BinOp(op=op) if type(op) in _OPERATORS and not _has_text(node):
            yield _with(node, op=_OPERATORS[type(op)]())
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield operand
        case ast.Constant(value=bool() as value):
            yield _with(node, value=not value)
        case ast.Constant(value=int() as value):
            yield _with(node, value=value + 1)
        case ast.Call(keywords=keywords):
            for i, keyword in enumerate(keywords):
                if keyword.arg is not None:
                    yield _with(node, keywords=keywords[:i] + keywords[i + 1 :])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _is_none(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _has_text(node: ast.BinOp) -> bool:
    texts = (ast.JoinedStr, ast.Constant)
    return any(isinstance(n, texts) and not isinstance(getattr(n, "value", ""), (int, float)) for n in ast.walk(node))
