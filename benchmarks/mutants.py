"""Small faults that can be planted in a Python source, each an edit of one place: the mutants of mutation testing.

The operators are those of the field: comparisons, arithmetic, connectives, negated conditions and constants (Offutt et
al. 1996, "An experimental determination of sufficient mutant operators"), returned values, deleted statements (Deng,
Offutt and Li 2013, "Empirical evaluation of the statement deletion mutation operator") and, for Python, a keyword
argument that is left out and a slice without its bound.

Left alone is what no test should pin down or what changes nothing: docstrings, the text of messages (f-strings and
strings that nothing is compared with), annotations, decorators, guards against defects of ours (``assert``, and
``strict`` of ``zip``) and blocks that only a type checker reads.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=",
    ast.LtE: "<",
    ast.Gt: ">=",
    ast.GtE: ">",
    ast.Eq: "!=",
    ast.NotEq: "==",
    ast.Is: "is not",
    ast.IsNot: "is",
    ast.In: "not in",
    ast.NotIn: "in",
}
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "/",
    ast.Mod: "*",
    ast.Pow: "*",
    ast.BitOr: "&",
    ast.BitAnd: "|",
}
FUNCTIONS = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
DELETED = (ast.Raise, ast.AugAssign)


@dataclass(frozen=True)
class Mutant:
    """One fault in one file.

    Attributes:
        path: of the file, from the repository's root.
        line: of the edit, counted from 1.
        column: in bytes, as ``ast`` counts.
        kind: the operator's name.
        before: the text that is replaced.
        after: what replaces it.
        scope: names of the functions and classes around it, joined by a point; empty at a module's top.
        first: first line of the statement's own part around the edit, and
        last: its last, for finding the tests that run it.
        on_import: whether it is run when its module is imported, and not by a call.
    """

    path: str
    line: int
    column: int
    kind: str
    before: str
    after: str
    scope: str
    first: int
    last: int
    on_import: bool

    @property
    def key(self) -> str:
        """Names the mutant as long as its place keeps scope and text: line numbers aren't in it."""
        text = "\0".join((self.path, self.scope, self.kind, self.before, self.after, str(self.column)))
        return f"{self.path}:{self.scope or '<module>'}:{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class _Edit:
    node: ast.expr | ast.stmt
    kind: str
    after: str


def mutants_of(path: str, source: str) -> list[Mutant]:
    """All mutants of a source, in the order of their places; of those with equal keys, the first."""
    tree = ast.parse(source)
    lines = source.encode().splitlines(keepends=True)
    found: dict[str, Mutant] = {}
    for scope, on_import, statement, edit in _edits(tree, source):
        node = edit.node
        before = _segment(lines, node)
        if before == edit.after:
            continue
        first, last = _own_lines(statement)
        place = (path, node.lineno, node.col_offset)
        one = Mutant(*place, edit.kind, before, edit.after, ".".join(scope), first, last, on_import)
        found.setdefault(one.key, one)
    return sorted(found.values(), key=lambda one: (one.line, one.column, one.kind, one.after))


def mutated(source: str, mutant: Mutant) -> str:
    """The source with the fault in it.

    Raises:
        ValueError: the source isn't the one the mutant was made from.
    """
    lines = source.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: mutant.line - 1])) + mutant.column
    whole, before = source.encode(), mutant.before.encode()
    if whole[start : start + len(before)] != before:
        raise ValueError(f"{mutant.path}:{mutant.line}: is not {mutant.before!r}; the file changed")
    return (whole[:start] + mutant.after.encode() + whole[start + len(before) :]).decode()


def _edits(tree: ast.Module, source: str) -> Iterator[tuple[tuple[str, ...], bool, ast.stmt, _Edit]]:
    """Scope, whether it is run on import, statement and edit, of all statements."""

    def of_block(
        block: list[ast.stmt], scope: tuple[str, ...], on_import: bool
    ) -> Iterator[tuple[tuple[str, ...], bool, ast.stmt, _Edit]]:
        for statement in block:
            if _left_alone(statement):
                continue
            inner, imported = scope, on_import
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                inner = (*scope, statement.name)
                imported = on_import and isinstance(statement, ast.ClassDef)
            for edit in _of_statement(statement, source):
                yield inner, on_import, statement, edit
            for name in ("body", "orelse", "finalbody"):
                yield from of_block(getattr(statement, name, []), inner, imported)
            for branch in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
                yield from of_block(branch.body, inner, imported)

    yield from of_block(tree.body, (), True)


def _left_alone(statement: ast.stmt) -> bool:
    match statement:
        case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Pass():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
            return True
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Assign(value=ast.Call(func=ast.Name(id="TypeVar" | "ParamSpec"))):
            return True
        case ast.FunctionDef(decorator_list=decorators):
            return any(isinstance(one, ast.Name) and one.id == "overload" for one in decorators)
    return False


def _of_statement(statement: ast.stmt, source: str) -> Iterator[_Edit]:
    """Edits of a statement's own part: a compound one's header, a simple one whole."""
    match statement:
        case ast.If(test=test) | ast.While(test=test):
            yield _negated(test, source)
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield _Edit(value, "returned value", "None")
        case ast.Break():
            yield _Edit(statement, "loop control", "continue")
        case ast.Continue():
            yield _Edit(statement, "loop control", "break")
        case ast.Expr(value=ast.Call()):
            yield _Edit(statement, "deleted statement", "pass")
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield _Edit(statement, "deleted statement", "pass")
        case _ if isinstance(statement, DELETED):
            yield _Edit(statement, "deleted statement", "pass")
    for root in _expressions(statement):
        yield from _of_expression(root, source)


def _expressions(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions of a statement's own part that are run: no annotations, decorators or messages."""
    match statement:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from statement.args.defaults
            yield from (one for one in statement.args.kw_defaults if one is not None)
        case ast.ClassDef():
            yield from (one.value for one in statement.keywords)
        case ast.AnnAssign(value=value):
            if value is not None:
                yield value
        case ast.Raise():
            return
        case _:
            for _, value in ast.iter_fields(statement):
                yield from (value,) if isinstance(value, ast.expr) else ()
                if isinstance(value, list):
                    yield from (one for one in value if isinstance(one, ast.expr))
                    yield from (one.context_expr for one in value if isinstance(one, ast.withitem))


def _of_expression(node: ast.AST, source: str, *, compared: bool = False) -> Iterator[_Edit]:
    """Edits of an expression and of those in it; ``compared``: a string here is compared with something."""
    match node:
        case ast.JoinedStr() | ast.Lambda(body=ast.Constant()):
            return  # an f-string's parts have no exact places in Python 3.11
        case ast.Compare(ops=[operator]):
            left, right = _text(node.left, source), _text(node.comparators[0], source)
            yield _Edit(node, "comparison", f"{left} {COMPARISONS[type(operator)]} {right}")
        case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_text(node):
            left, right = _text(node.left, source), _text(node.right, source)
            yield _Edit(node, "arithmetic", f"({left}) {ARITHMETIC[type(node.op)]} ({right})")
        case ast.BoolOp():
            word = " or " if isinstance(node.op, ast.And) else " and "
            yield _Edit(node, "connective", "(" + word.join(f"({_text(one, source)})" for one in node.values) + ")")
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield _Edit(node, "negation", f"({_text(node.operand, source)})")
        case ast.IfExp():
            yield _negated(node.test, source)
        case ast.comprehension():
            for condition in node.ifs:
                yield _negated(condition, source)
        case ast.Constant(value=bool() as value):
            yield _Edit(node, "constant", str(not value))
        case ast.Constant(value=int() | float() as value):
            yield _Edit(node, "constant", repr(value + 1))
        case ast.Constant(value=str() as value) if compared and value:
            yield _Edit(node, "constant", repr(value + "?"))
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            yield _Edit(node.func, "function", FUNCTIONS[name])
        case ast.Slice():
            for bound in (node.lower, node.upper):
                if bound is not None:
                    yield _Edit(bound, "slice", "")
    if isinstance(node, ast.Call):
        yield from _without_keyword(node, source)
    inside = isinstance(node, ast.Compare) or (compared and isinstance(node, ast.Tuple | ast.Set | ast.List))
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.arguments) and not (isinstance(child, ast.keyword) and child.arg == "strict"):
            yield from _of_expression(child, source, compared=inside)


def _without_keyword(call: ast.Call, source: str) -> Iterator[_Edit]:
    if isinstance(call.func, ast.Name) and call.func.id in ("dataclass", "field", "zip"):
        return
    for left_out in call.keywords:
        if left_out.arg is None:
            continue
        kept = [_text(one, source) for one in call.args]
        for one in call.keywords:
            if one is not left_out:
                value = _text(one.value, source)
                kept.append(f"**{value}" if one.arg is None else f"{one.arg}={value}")
        yield _Edit(call, "left-out argument", f"{_text(call.func, source)}({', '.join(kept)})")


def _negated(test: ast.expr, source: str) -> _Edit:
    return _Edit(test, "condition", f"(not ({_text(test, source)}))")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.expr) -> bool:
    """Whether a sum is of strings, or a type: nothing to calculate with."""
    return any(
        isinstance(one, ast.JoinedStr)
        or (isinstance(one, ast.Constant) and isinstance(one.value, str | None))
        or (isinstance(one, ast.BinOp) and _is_text(one))
        for one in ((node.left, node.right) if isinstance(node, ast.BinOp) else ())
    )


def _text(node: ast.expr, source: str) -> str:
    text = ast.get_source_segment(source, node) or ast.unparse(node)
    needs_brackets = isinstance(node, ast.GeneratorExp | ast.NamedExpr) and not text.startswith("(")
    return f"({text})" if needs_brackets else text


def _segment(lines: list[bytes], node: ast.expr | ast.stmt) -> str:
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    if node.lineno == node.end_lineno:
        return lines[node.lineno - 1][node.col_offset : node.end_col_offset].decode()
    first, last = lines[node.lineno - 1][node.col_offset :], lines[node.end_lineno - 1][: node.end_col_offset]
    return b"".join([first, *lines[node.lineno : node.end_lineno - 1], last]).decode()


def _own_lines(statement: ast.stmt) -> tuple[int, int]:
    """First and last line of a statement's own part: up to a compound one's body."""
    body = getattr(statement, "body", None)
    end = statement.end_lineno or statement.lineno
    return statement.lineno, max(statement.lineno, body[0].lineno - 1) if body else end
