"""A fix under construction: which parts of a file get which new text, from the inside out."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable

from tflint_layers.finding import Edit
from tflint_layers.rewrite.edits import smallest_edit
from tflint_layers.source import Source

_ATOMS = (
    ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.Set,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.JoinedStr, ast.GeneratorExp,
)  # fmt: skip
_Span = tuple[int, int]
_Node = ast.expr | ast.stmt
Text = Callable[[], str]


class Plan:
    """New texts for parts of a file. A part's text is asked for only at the end, so that parts inside it come first."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._texts: dict[_Span, Text] = {}
        self._tensors: set[ast.AST] = set()

    def is_noted(self, node: ast.AST) -> bool:
        """Whether an expression was noted to become a tensor."""
        return node in self._tensors

    def becomes_tensor(self, node: ast.AST) -> None:
        """Note that an expression that is no tensor now is one in the new text."""
        self._tensors.add(node)

    def is_tensor(self, node: _Node) -> bool:
        """Whether an expression becomes a tensor by what is planned."""
        return node in self._tensors or self.has(node)

    def has(self, node: _Node) -> bool:
        """Whether the node gets a text of its own."""
        return self.source.span(node) in self._texts

    def put(self, node: _Node, text: Text) -> None:
        """Give a node another text."""
        self._texts[self.source.span(node)] = text

    def put_between(self, first: _Node, last: _Node, text: Text) -> None:
        """Give all from one node to another one text."""
        self._texts[self.source.span(first)[0], self.source.span(last)[1]] = text

    def put_span(self, start: int, end: int, text: Text) -> None:
        """Give a range of bytes another text."""
        self._texts[start, end] = text

    def put_bracketed(self, node: ast.expr, text: Text) -> None:
        """Give an expression another text, and drop the brackets right around it where that needs none."""
        self.put(node, text)
        start, end = self.source.span(node)
        if self.source.data[start - 1 : start] == b"(" and self.source.data[end : end + 1] == b")":
            self._texts[start - 1, end + 1] = lambda: self.atom(node)

    def wrap_between(self, first: _Node, last: _Node, around: Callable[[str], str]) -> None:
        """Put something around what is going to stand from one node to another."""
        span = self.source.span(first)[0], self.source.span(last)[1]
        inner = self._texts[span]
        self._texts[span] = lambda: around(inner())

    def wrap(self, node: _Node, around: Callable[[str], str]) -> None:
        """Put something around what the node is going to be."""
        inner = self._texts.get(self.source.span(node)) or (lambda: self.between(*self.source.span(node)))
        self.put(node, lambda: around(inner()))

    def text(self, node: _Node) -> str:
        """The node as it is going to be."""
        span = self.source.span(node)
        own = self._texts.get(span)
        return own() if own is not None else self.between(*span)

    def atom(self, node: ast.expr) -> str:
        """The same with brackets around it where an attribute or operator behind it would take only a part."""
        text = self.text(node)
        if self.has(node):
            return text if _is_atom_text(text) else f"({text})"
        return text if isinstance(node, _ATOMS) else f"({text})"

    def argument(self, node: ast.expr) -> str:
        """The same as one argument of a call."""
        return f"({self.text(node)})" if isinstance(node, (ast.NamedExpr, ast.Yield, ast.Await)) else self.text(node)

    def between(self, start: int, end: int) -> str:
        """All that is going to stand in a part of the file, whose own text (if it has one) is not asked for."""
        inside = [(a, b) for a, b in self._texts if start <= a and b <= end and (a, b) != (start, end)]
        pieces, offset = [], start
        for a, b in sorted(inside, key=lambda span: (span[0], -span[1])):
            if a < offset:  # inside the one before
                continue
            pieces += [self._old(offset, a), self._texts[a, b]()]
            offset = b
        return "".join((*pieces, self._old(offset, end)))

    def _old(self, start: int, end: int) -> str:
        return self.source.data[start:end].decode(self.source.encoding)

    def edits(self) -> list[Edit]:
        """What changes, in as few bytes as can be."""
        changes = [(a, b, self._old(a, b), self._texts[a, b]()) for a, b in self._outermost()]
        return [smallest_edit(self.source, *change) for change in changes if change[2] != change[3]]

    def written(self) -> str:
        """All the new texts."""
        return "\n".join(self._texts[span]() for span in self._outermost())

    def _outermost(self) -> list[_Span]:
        found: list[_Span] = []
        for a, b in sorted(self._texts, key=lambda span: (span[0], -span[1])):
            if not found or a >= found[-1][1]:
                found.append((a, b))
        return found

    def arguments(self, call: ast.Call) -> str:
        """What is going to stand between the brackets of a call."""
        _, function_end = self.source.span(call.func)
        end = self.source.span(call)[1] - 1
        opening = self.source.data.index(b"(", function_end)
        return self.between(opening + 1, end)

    def call_on(self, function: str, subject: str, call: ast.Call) -> str:
        """A method call as a call of a function, whose first argument is the object; the layout is kept."""
        rest = self.arguments(call)
        if not (call.args or call.keywords):
            return f"{function}({subject})"
        lead = rest[: len(rest) - len(rest.lstrip())]
        return f"{function}({lead}{subject},{rest if lead else ' ' + rest})"

    def with_comments(self, first: ast.stmt, last: ast.stmt, new: str) -> str:
        """The text that replaces some statements, under the comments that they hold and it does not.

        One behind the last statement stays where it is.
        """
        lines = self.source.text.splitlines(keepends=True)[first.lineno - 1 : last.end_lineno]
        words = "".join(line.lstrip(" \t") for line in lines)
        found = []
        try:
            for token in tokenize.generate_tokens(io.StringIO(words).readline):
                if token.type == tokenize.COMMENT and token.start[0] < len(lines) and token.string not in new:
                    found.append(token.string)
        except (tokenize.TokenError, SyntaxError):
            pass  # a bracket or text that goes on: what was found so far is what there is
        indent = " " * first.col_offset
        return "".join(f"{comment}\n{indent}" for comment in found) + new


def _is_atom_text(text: str) -> bool:
    try:
        return isinstance(ast.parse(text.strip(), mode="eval").body, _ATOMS)
    except SyntaxError:
        return False
