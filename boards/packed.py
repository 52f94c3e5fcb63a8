"""Several modules of the sources as one file of a board (docs/decisions/0015-packs.md). Every .mpy holds the names it uses
anew, and a file system gives every file whole blocks. The sources stay one module for one thing.

A pack is the sources of its modules one after the other. Where two of them give different things one name, the later one's
has its module's name behind it: `check` of power.py is then `check_power`. Whoever imports a module finds it in its pack.
"""

import ast

from .numbers import package_of, replaced

_DEFINES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


# {file: (package, its modules, each behind those that it needs while it loads)}. All of a pack stay loaded, or come and go
# together; what safe mode loads stands in other packs than what it does without.
_PACKS = {
    "wire": ("firmware_agent.wire", "errors pan names messages cbor bodies region lists smp steps"),
    "wire_cose": ("firmware_agent.wire", "es256 cose"),
    "records": ("firmware_agent", "journal carry words dates sums sale"),
    "refunds": ("firmware_agent", "refund earlier history conduct"),
    "seen": ("firmware_agent", "events snapshot health watch.device"),
    "talk": ("firmware_agent", "service link"),
    "checks": (
        "firmware_agent",
        "case checks.account checks.bank checks.card checks.device checks.dispute checks.doubt checks.limit "
        "checks.network checks.people checks.power checks.sale checks.security checks.software checks.storage preflight",
    ),
    "watch": ("firmware_agent.watch", "climate clock line network power terminal"),
    "zvt": ("hal.terminals.zvt", "frame line apdu terminal"),
    "zvt_gate": ("hal.terminals.zvt", "turns scan gate"),
}
# The same of what a board loads for its hardware, where no two boards have the same.
_OF_A_BOARD = {
    "drivers": (
        "hal",
        "ticks said uptime micropython.waiting micropython.stdio micropython.uart micropython.clock micropython.watchdog "
        "micropython.light micropython.files micropython.region micropython.adc micropython.ina micropython.chip_esp32 "
        "micropython.chip_rp2 micropython.chip_stm32",
    ),
    "drivers_net": (
        "hal",
        "micropython.sockets dial micropython.names micropython.interface micropython.lan micropython.wlan",
    ),
}


def _listed(table):
    return {file: [f"{package}.{name}" for name in names.split()] for file, (package, names) in table.items()}


PACKS = _listed(_PACKS)
OF_A_BOARD = _listed(_OF_A_BOARD)


class CannotPack(Exception):
    """A module has a name in a place that this cannot follow; the text says which."""


class Packs:
    """`modules`: dotted names of all that is compiled; `packs`: {file: modules}, of which those count that are there;
    `flat(module)`: the file of one that is in none; `read(module)`: its source, in which `numbers` (Numbers) are placed.

    `files`: {file: its modules in their order}."""

    def __init__(self, modules, packs, flat, read, numbers):
        self._modules = modules
        self._read = read
        self._numbers = numbers
        there = {file: [one for one in inside if one in modules] for file, inside in packs.items()}
        self.files = {file: inside for file, inside in there.items() if len(inside) > 1}
        packed = {one for inside in self.files.values() for one in inside}
        self.files.update({flat(one): [one] for one in modules if one not in packed})
        self._file = {one: file for file, inside in self.files.items() for one in inside}
        self._names = {}  # {module of a pack: {a name in it: its name in the pack}}
        self._again = set()  # (module, name) of an import that a module before it in the pack has
        for inside in self.files.values():
            if inside[0] in packed:
                self._name(inside)

    def source(self, file):
        return "\n".join(self._fitted(module) for module in self.files[file])

    def _name(self, inside):
        things = {}  # {name in the pack: what it stands for}
        for module in inside:
            names = self._names[module] = {}
            for name, thing in self._bound(module, ast.parse(self._read(module))):
                origin, there = thing
                if origin in inside and origin != module:
                    if there:  # else it is the module itself
                        names[name] = self._names[origin][there]
                    continue
                if things.get(name) == thing and origin != module:
                    self._again.add((module, name))
                names[name] = name if things.setdefault(name, thing) == thing else f"{name}_{module.rpartition('.')[2]}"
                things[names[name]] = thing

    def _bound(self, module, tree):
        """(name, (module, name there)) of all that a module binds; of a whole module there is no name. An import under a
        condition is the module's own."""
        for node in _scope(tree.body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in self._wanted(module, node):
                    origin = self._origin(module, node, alias) if node in tree.body else (module, alias.name)
                    yield alias.asname or alias.name, origin
            elif isinstance(node, _DEFINES):
                yield node.name, (module, node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                yield node.id, (module, node.id)

    def _origin(self, module, node, alias):
        package = package_of(module, node)
        whole = f"{package}.{alias.name}" if package else alias.name
        return (whole, "") if whole in self._modules or not package else (package, alias.name)

    def _wanted(self, module, node):
        """What is left of an import once numbers are in their places."""
        numbers = self._numbers.of(package_of(module, node))
        return [alias for alias in node.names if alias.name not in numbers]

    def _fitted(self, module):
        """The source of a module as it stands in its file."""
        source = self._read(module)
        tree = ast.parse(source)
        inside = self.files[self._file[module]]
        changed = {name: new for name, new in self._names.get(module, {}).items() if name != new}
        whole = {}  # {name of a module of a pack: (what stands before its names, {a name in it: its name})}
        places = []
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                lines = {}
                for alias in self._wanted(module, node):
                    bound = alias.asname or alias.name
                    origin, there = self._origin(module, node, alias)
                    mate = node in tree.body and origin in inside and origin != module
                    if origin in self._names and not there:
                        whole[bound] = "" if mate else bound + ".", self._names[origin]
                    if mate or (node in tree.body and (module, bound) in self._again):
                        continue
                    begin, name = self._import(node, origin, there)
                    bound = changed.get(bound, bound)
                    lines.setdefault(begin, []).append(name if name == bound else f"{name} as {bound}")
                places.append((node, "; ".join(begin + ", ".join(names) for begin, names in lines.items()) or "pass"))
        self._refuse(module, tree, changed, whole)
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and node.id in changed:
                places.append((node, changed[node.id]))
            elif isinstance(node, ast.Global):
                places.append((node, "global " + ", ".join(changed.get(name, name) for name in node.names)))
            elif isinstance(node, _DEFINES) and node in tree.body and node.name in changed:
                at = node.col_offset + {ast.FunctionDef: 4, ast.ClassDef: 6, ast.AsyncFunctionDef: 10}[type(node)]
                where = {"lineno": node.lineno, "end_lineno": node.lineno, "col_offset": at}
                places.append((ast.Pass(**where, end_col_offset=at + len(node.name)), changed[node.name]))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in whole:
                before, names = whole[node.value.id]
                places.append((node, before + names.get(node.attr, node.attr)))
        return replaced(source, places)

    def _import(self, node, origin, there):
        """("from a import ", "b") of what is imported, by its place on a board."""
        if origin not in self._modules:  # of MicroPython, or of a laptop
            begin = (
                f"from {'.' * node.level}{node.module or ''} import " if isinstance(node, ast.ImportFrom) else "import "
            )
            return begin, there or origin
        if there:
            return f"from {self._file[origin]} import ", self._names.get(origin, {}).get(there, there)
        return "import ", self._file[origin]

    def _refuse(self, module, tree, changed, whole):
        """CannotPack for a name that is changed and stands where `_fitted` does not change it."""
        looked_up = {node.value: node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        # a module of another pack is still a module; only what it gives under another name must be looked up in it
        whole = {
            name
            for name, (before, names) in whole.items()
            if not before or any(names.get(attr, attr) != attr for node, attr in looked_up.items() if _is(node, name))
        }
        for node in ast.walk(tree):
            wrong = None
            if isinstance(node, ast.arg):
                wrong = node.arg in {*changed, *whole} and node.arg
            elif isinstance(node, ast.ExceptHandler):
                wrong = node.name in changed and node.name
            elif isinstance(node, ast.Name) and node.id in whole:
                wrong = (node not in looked_up or isinstance(node.ctx, ast.Store)) and node.id
            elif isinstance(node, ast.ClassDef):
                inside = list(_scope(node.body))
                own = {one.name for one in inside if isinstance(one, _DEFINES)}
                used = {one.id for one in inside if isinstance(one, ast.Name)}
                stored = {one.id for one in inside if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}
                wrong = next(iter(((own & used) | stored) & changed.keys()), None)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                own = {one.name for one in _scope(node.body) if isinstance(one, _DEFINES)}
                wrong = next(iter(own & changed.keys()), None)
            if wrong:
                raise CannotPack(
                    f"{module}: {wrong} stands for something else in its pack: give one of the two another name"
                )


def _is(node, name):
    return isinstance(node, ast.Name) and node.id == name


def _scope(body):
    """Nodes of a scope, without those in the functions and classes there."""
    todo = list(body)
    while todo:
        node = todo.pop(0)
        yield node
        if not isinstance(node, (*_DEFINES, ast.Lambda)):
            todo += ast.iter_child_nodes(node)
