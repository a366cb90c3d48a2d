"""Jinja templates of authors and of the sentence data, rendered where they can do no harm.

The sandbox of Jinja keeps a template from the machine; it does not keep it from filling memory or from never ending. So
here every loop and call of one rendering is counted, and every operation that can make a long value looks at its size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

from jinja2 import TemplateError, Undefined, nodes, pass_environment
from jinja2.environment import Environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.runtime import Context as JinjaContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from hearth_core.errors import SentenceError

# The longest template of home-assistant-intents 2026.10.27, over all languages, has 6,831 characters.
MAX_TEMPLATE_CHARS = 20_000
MAX_TEXT_CHARS = 10_000
# The hungriest of them loops over the entities of a home and calls a few functions for each.
MAX_STEPS = 20_000
MAX_RANGE = 1_000
MAX_NUMBER_BITS = 256

# Those of Jinja that only choose, sort and spell; the ones that pad or unfold (center, indent, format…) are left out.
_FILTERS = frozenset(
    (
        *("abs", "attr", "capitalize", "count", "d", "default", "dictsort", "first", "float", "int", "items", "last"),
        *("length", "list", "lower", "map", "max", "min", "reject", "rejectattr", "round", "select", "selectattr"),
        *("sort", "string", "sum", "title", "trim", "unique", "upper"),
    )
)
_PADDING = frozenset({"center", "expandtabs", "ljust", "rjust", "translate", "zfill"})
_WIDE = re.compile(r"\d{4,}|\*|\{[^{}]*\{")
_EXPRESSION = re.compile(r"\s*\{\{-?((?:(?!\{\{|\}\}|\{%|%\}).)+?)-?\}\}\s*", re.DOTALL)

# Steps left to the rendering under way.
_steps: ContextVar[list[int]] = ContextVar("steps")

UNDEFINED = object()
"""What `evaluate` returns for an expression over a slot that was not said."""


def render(template: str, variables: Mapping[str, Any]) -> str:
    """Return the text of the template, white space normalised.

    Raises:
        SentenceError: it cannot be parsed, fails, or goes beyond the bounds.
    """
    return " ".join(_run(template, variables).split())


def evaluate(template: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of a template that is one expression (`{{ … }}`) as it is, of any other its text.

    Raises:
        SentenceError: it cannot be parsed, fails, or goes beyond the bounds.
    """
    expression = _EXPRESSION.fullmatch(template)
    if expression is None:
        return render(template, variables)
    kept: list[Any] = []
    _run("{{ _keep(" + expression[1] + ") }}", {**variables, "_keep": kept.append})
    return UNDEFINED if isinstance(kept[0], Undefined) else kept[0]


def compiles(template: str) -> None:
    """Compile a template without rendering it.

    Raises:
        SentenceError: it cannot be parsed, or names a filter or test that there is not.
    """
    try:
        _compiled(template)
    except (TemplateError, RecursionError, ValueError) as error:
        raise SentenceError(f"template {_short(template)!r} fails: {error}") from error


def _short(template: str) -> str:
    shown = " ".join(template.split())
    return shown if len(shown) <= 60 else shown[:59] + "…"


def _run(template: str, variables: Mapping[str, Any]) -> str:
    if len(template) > MAX_TEMPLATE_CHARS:
        raise SentenceError(f"a template has {len(template)} characters", remedy=f"{MAX_TEMPLATE_CHARS} is the most")
    token = _steps.set([MAX_STEPS])
    try:
        text, parts = 0, []
        for part in _compiled(template).generate(variables):
            text += len(part)
            if text > MAX_TEXT_CHARS:
                raise SecurityError(f"it makes more than {MAX_TEXT_CHARS} characters")
            parts.append(part)
        return "".join(parts)
    except (
        TemplateError,
        ArithmeticError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        raise SentenceError(
            f"template {_short(template)!r} fails: {error}", remedy="Mend it in its sentence file"
        ) from error
    finally:
        _steps.reset(token)


def _step() -> None:
    left = _steps.get()
    left[0] -= 1
    if left[0] < 0:
        raise SecurityError(f"it takes more than {MAX_STEPS} steps")


def _sized(size: int) -> None:
    if size > MAX_TEXT_CHARS:
        raise SecurityError(f"a value grows beyond {MAX_TEXT_CHARS}")


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _step()
        yield item


@pass_environment
def _join(env: Environment, items: Iterable[Any], separator: str = "", attribute: str | None = None) -> str:
    get: Callable[[Any], Any] = make_attrgetter(env, attribute) if attribute else lambda item: item
    texts, size = [], 0
    for item in _counted(items):
        texts.append(str(get(item)))
        size += len(texts[-1]) + len(separator)
        _sized(size)
    return str(separator).join(texts)


def _replace(text: object, old: str, new: str) -> str:
    text, old, new = str(text), str(old), str(new)
    _sized(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _range(*bounds: int) -> range:
    numbers = range(*bounds)
    if len(numbers) > MAX_RANGE:
        raise SecurityError(f"a range has more than {MAX_RANGE} numbers")
    return numbers


class _Bounding(NodeTransformer):
    """Sends what Jinja compiles to plain Python, loops and `~`, through functions that count."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the name that Jinja calls
        self.generic_visit(node)
        node.iter = nodes.Filter(node.iter, "_counted", [], [], None, None, lineno=node.lineno)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - the name that Jinja calls
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "join", [], [], None, None, lineno=node.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, with a bound on what one rendering may take."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(extensions=["jinja2.ext.loopcontrols"], optimized=False)
        bounded = {"_counted": _counted, "join": _join, "replace": _replace}
        self.filters = {**{name: FILTERS[name] for name in _FILTERS}, **bounded}
        self.globals = {"range": _range, "dict": dict, "namespace": self.globals["namespace"]}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        return _Bounding().visit(super()._parse(source, name, filename))  # type: ignore[no-any-return]

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Return the guarded form of a `"…".format`, None if the value is something else."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None and _WIDE.search(str(value.__self__)):
            raise SecurityError("the width of a format is too large")
        return wrapped

    def call(self, context: JinjaContext, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a function of a template."""
        _step()
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            if obj.__name__ in _PADDING:
                raise SecurityError(f"{obj.__name__} is not allowed")
            if obj.__name__ == "replace" and len(args) >= 2:
                return _replace(owner, args[0], args[1])
            if obj.__name__ == "join" and args:
                return _join(self, args[0], owner)
        result = super().call(context, obj, *args, **kwargs)
        if isinstance(result, str | list | tuple):
            _sized(len(result))
        return result

    def call_binop(self, context: JinjaContext, operator: str, left: Any, right: Any) -> Any:
        """Compute `left operator right`."""
        if operator == "**":
            if abs(left) > 1e6 or abs(right) > 12:
                raise SecurityError("a power is too large")
        elif operator == "%":
            if isinstance(left, str) and _WIDE.search(left):
                raise SecurityError("the width of a format is too large")
        elif isinstance(left, int) and isinstance(right, int):
            if left.bit_length() + right.bit_length() > MAX_NUMBER_BITS:
                raise SecurityError("a number is too large")
        else:
            left_size = len(left) if hasattr(left, "__len__") else left
            right_size = len(right) if hasattr(right, "__len__") else right
            if hasattr(left, "__len__") or hasattr(right, "__len__"):
                _sized(left_size + right_size if operator == "+" else left_size * right_size)
        return super().call_binop(context, operator, left, right)


_sandbox: Sandbox | None = None


@lru_cache(maxsize=512)
def _compiled(template: str) -> Any:
    global _sandbox
    if _sandbox is None:
        _sandbox = Sandbox()
    return _sandbox.from_string(template)
