"""Which expressions of a template show an untrusted value: each of them is fenced, whatever it does to the value.

Found in the syntax tree, not in the values: a filter makes a new text, and would lose a mark on the old
one. A name that is set from an untrusted one, or loops over it, is untrusted too. Where a fence could be
changed after it was put up (in a macro, a filter block and the like), the name is refused.
"""

from __future__ import annotations

from collections.abc import Iterator

from jinja2 import nodes

from gen_toolkit.errors import PromptError

_REFUSED = {
    nodes.Macro: "macro",
    nodes.CallBlock: "call",
    nodes.FilterBlock: "filter",
    nodes.AssignBlock: "set",
    nodes.Block: "block",
    nodes.ScopedEvalContextModifier: "autoescape",
}
# what `loop` says of the loop itself; all else of it may be an element
_OF_THE_LOOP = {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0"}


def fenced(tree: nodes.Template, untrusted: frozenset[str]) -> nodes.Template:
    """The tree, changed in place: whatever shows an untrusted value calls the environment's `fence`.

    Raises PromptError where an untrusted name stands in a block that could change its fence.
    """
    names = _spread(tree, set(untrusted))
    for node in tree.find_all(tuple(_REFUSED)):
        if _mentions(node, names):
            raise PromptError(
                f"line {node.lineno}: an untrusted variable ({', '.join(sorted(untrusted))}) is used in a "
                f"{{% {_REFUSED[type(node)]} %}} block, which could change its fence",
                fix="Use it outside of that block: {{ name }}, with filters if need be.",
                line=node.lineno,
            )
    for output in tree.find_all(nodes.Output):
        output.nodes = [_fenced(node) if _mentions(node, names) else node for node in output.nodes]
    return tree


def _fenced(expression: nodes.Expr) -> nodes.Expr:
    return nodes.Call(nodes.EnvironmentAttribute("fence"), [expression], [], None, None, lineno=expression.lineno)


def _spread(tree: nodes.Template, names: set[str]) -> set[str]:
    """The untrusted names, and all that get their values from them, however many steps away."""
    while True:
        got = {name for source, targets in _flows(tree) if _mentions(source, names) for name in targets}
        if got <= names:
            return names
        names = names | got


def _flows(tree: nodes.Template) -> Iterator[tuple[nodes.Node, set[str]]]:
    """(expression, names that get a value from it)."""
    for loop in tree.find_all(nodes.For):
        yield loop.iter, _targets(loop.target) | {"loop"}
    for assign in tree.find_all(nodes.Assign):
        yield assign.node, _targets(assign.target)
    for block in tree.find_all(nodes.With):
        for target, value in zip(block.targets, block.values, strict=True):
            yield value, _targets(target)
    for call in tree.find_all(nodes.Call):  # `box.add(text)`: an object of the caller's may keep what it is given
        for given in [*call.args, *call.kwargs]:
            yield given, _targets(call.node)


def _targets(node: nodes.Node) -> set[str]:
    whole = [node, *node.find_all((nodes.Name, nodes.NSRef))]
    return {found.name for found in whole if isinstance(found, nodes.Name | nodes.NSRef)}


def _mentions(node: nodes.Node, names: set[str]) -> bool:
    if isinstance(node, nodes.Name):
        return node.name in names
    if isinstance(node, nodes.Getattr) and node.attr in _OF_THE_LOOP and isinstance(node.node, nodes.Name):
        return node.node.name in names - {"loop"}
    return any(_mentions(child, names) for child in node.iter_child_nodes())
