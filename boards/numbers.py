"""Numbers put where they are used. On a board NAME = NUMBER costs its name in every .mpy that has it, a place in the heap in
every module that imports it, and a look-up at every use. In the sources it stays one name in one place.

A number is what a module gives a capital name once, `NAME = 1 << 3`, or imports as such from another of our modules.
"""

import ast
import re
from operator import add, and_, floordiv, lshift, mod, mul, neg, or_, rshift, sub

_OPERATIONS = {
    **{ast.Add: add, ast.Sub: sub, ast.Mult: mul, ast.FloorDiv: floordiv, ast.Mod: mod},
    **{ast.LShift: lshift, ast.RShift: rshift, ast.BitOr: or_, ast.BitAnd: and_, ast.USub: neg},
}
_CAPITAL = re.compile("_?[A-Z][A-Z0-9_]*")


class Numbers:
    """`read(module)`: the source of a module by its dotted name, None if it is none of ours."""

    def __init__(self, read):
        self._read = read
        self._known = {}

    def of(self, module):
        """{name: number} of a module."""
        if module not in self._known:
            source = self._read(module)
            self._known[module] = {} if source is None else self._found(module, ast.parse(source))[0]
        return self._known[module]

    def _found(self, module, tree):
        """({name: number}, the statements that say so, {name of an imported module: its dotted name})."""
        numbers, statements, modules = {}, [], {}
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                package = package_of(module, node)
                for alias in node.names:
                    its = self.of(package)
                    if alias.name in its:
                        numbers[alias.asname or alias.name] = its[alias.name]
                    elif self._read(f"{package}.{alias.name}") is not None:
                        modules[alias.asname or alias.name] = f"{package}.{alias.name}"
        for node in tree.body:
            said = _assigned(node, numbers)
            if said:
                numbers.update(said)
                statements.append(node)
        bound = [
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
        ]
        bound += [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
        for name in list(numbers):
            if bound.count(name) > (name in {one for node in statements for one in _names(node)}):
                del numbers[name]  # something else bears the name too
        return numbers, [node for node in statements if numbers.keys() >= set(_names(node))], modules

    def placed(self, module, source, keep=False):
        """`source` with every number in the place of its name, in the same lines. `keep`: its own stay defined."""
        tree = ast.parse(source)
        numbers, statements, modules = self._found(module, tree)
        places = []
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in numbers:
                places.append((node, numbers[node.id]))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                its = self.of(modules[node.value.id])
                if node.attr in its:
                    places.append((node, its[node.attr]))
        # of a statement that goes its places go with it
        gone = [] if keep else statements
        lines = {line for node in gone for line in range(node.lineno, node.end_lineno + 1)}
        places = [(node, "%d" % value) for node, value in places if node.lineno not in lines]
        return replaced(source, [*places, *((node, "") for node in gone)])


def _names(node):
    target = node.targets[0]
    return [one.id for one in (target.elts if isinstance(target, ast.Tuple) else (target,))]


def _assigned(node, known):
    """{name: number} of a statement NAME = NUMBER or NAME, NAME = NUMBER, NUMBER; {} of any other."""
    if not isinstance(node, ast.Assign) or len(node.targets) != 1:
        return {}
    target, value = node.targets[0], node.value
    if isinstance(target, ast.Tuple) != isinstance(value, ast.Tuple):
        return {}
    targets, values = (target.elts, value.elts) if isinstance(target, ast.Tuple) else ([target], [value])
    if len(targets) != len(values) or not all(
        isinstance(one, ast.Name) and _CAPITAL.fullmatch(one.id) for one in targets
    ):
        return {}
    values = [_value(one, known) for one in values]
    return {} if None in values else {one.id: value for one, value in zip(targets, values, strict=True)}


def _value(node, known):
    """The number that an expression stands for, None if it is something else."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return node.value
    if isinstance(node, ast.Name):
        return known.get(node.id)
    parts = [node.left, node.right] if isinstance(node, ast.BinOp) else [getattr(node, "operand", None)]
    operation = _OPERATIONS.get(type(getattr(node, "op", None)))
    values = [one and _value(one, known) for one in parts]
    return operation(*values) if operation and None not in values else None


def package_of(module, node):
    """Dotted name of what a `from` in `module` imports from; "" of another import."""
    if isinstance(node, ast.Import):
        return ""
    return ".".join([*(module.split(".")[: -node.level] if node.level else []), *filter(None, [node.module])])


def replaced(source, places):
    """`source` with other texts in the places of some nodes; the number of its lines stays."""
    lines = [line.encode() for line in source.split("\n")]
    for node, text in sorted(places, key=lambda place: (-place[0].lineno, -place[0].col_offset)):
        first, last = node.lineno - 1, node.end_lineno - 1
        behind = lines[last][node.end_col_offset :]
        lines[first] = lines[first][: node.col_offset] + (f"({text})" if text[:1] == "-" else text).encode()
        for line in range(first + 1, last + 1):
            lines[line] = b""
        lines[last] += behind
    return b"\n".join(lines).decode()
