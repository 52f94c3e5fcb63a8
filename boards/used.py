"""What one board needs of the device's sources: the modules that its boot may import, with its drivers and terminal alone."""

import ast
import runpy
import traceback

from .compiled import ROOT, CannotKeep, compiled, flat, sources

_BOOT = "boards/boot.py"
_BUILDERS = (_BOOT, "hal/micropython/build.py")  # whose imports stand behind conditions on the drivers
TOP = "boards/slots.py"  # stands beside the slots, not in them


class NoSuchBoard(Exception):
    """There is no board of this name. `names`: those there are."""

    def __init__(self, names):
        super().__init__(names)
        self.names = names


class CannotLoad(Exception):
    """A board's module is no Python, or raises. `line` of it, 0 if it is not known; `reason`: what Python says."""

    def __init__(self, line, reason):
        super().__init__(reason)
        self.line = line
        self.reason = reason


def names(begin=b""):
    """Of the boards whose module names the PLATFORM of their firmware, which a laptop's do not."""
    says = b"\nPLATFORM = " + begin
    return sorted(path.stem for path in (ROOT / "boards").glob("*.py") if says in path.read_bytes())


def board(name):
    """{name: value} of a board's module. NoSuchBoard, CannotLoad."""
    if name not in names():
        raise NoSuchBoard([one for one in names() if one not in names(b'"linux"')])  # those are for tests
    path = str(ROOT / "boards" / (name + ".py"))
    try:
        (ROOT / "boards" / (name + ".py")).read_text()  # what compiles it needs UTF-8, which Python is not strict with
        return runpy.run_path(path)
    except SyntaxError as error:
        raise CannotLoad(error.lineno or 0, f"SyntaxError: {error.msg}")
    except (Exception, SystemExit) as error:
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        raise CannotLoad(lines[-1] if lines else 0, f"{type(error).__name__}: {error}")


def modules(name, data=None):
    """Paths, relative to the root, of the sources that a board runs, slots.py apart. `data`: in place of its own."""
    data = data or board(name)
    there = set(sources())
    todo, found = [_BOOT, f"boards/{name}.py"], set()
    while todo:
        path = todo.pop()
        if path in found or path not in there:
            continue
        found.add(path)
        tree = ast.parse((ROOT / path).read_text())
        nodes = _reached(tree, data) if path in _BUILDERS else ast.walk(tree)
        for node in nodes:
            todo += _targets(path, node)
    return sorted(found)


def files(name):
    """({name: bytes} of the files in a slot, bytes of slots.mpy) of a board."""
    folder = compiled([*modules(name), TOP])
    try:
        found = {path.name: path.read_bytes() for path in folder.iterdir()}
    except OSError as error:  # somebody else compiled it
        raise CannotKeep(folder, error)
    return found, found.pop(flat(TOP[:-3].replace("/", ".")) + ".mpy")


def _targets(path, node):
    """Paths of what an import may load of ours: from a.b import c may be the module a.b.c or a name in a.b."""
    if isinstance(node, ast.Import):
        return [alias.name.replace(".", "/") + ".py" for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    above = path.split("/")[: -node.level] if node.level else []
    package = "/".join([*above, *(node.module.split(".") if node.module else [])])
    return [package + ".py", *(f"{package}/{alias.name}.py" for alias in node.names)]


def _reached(tree, data):
    """Nodes of a builder that a board's start may come to: its conditions on the drivers are known, and a function of its own
    (its name begins with _) counts where it is named."""
    private = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("_")}
    todo = [node for node in tree.body if node not in private.values()]
    reached = []
    while todo:
        node = todo.pop()
        reached.append(node)
        if isinstance(node, ast.Name) and node.id in private:
            todo.append(private.pop(node.id))
        if isinstance(node, ast.If):
            truth = _truth(node.test, data)
            todo += [node.test, *(node.body if truth is not False else []), *(node.orelse if truth is not True else [])]
        else:
            todo += ast.iter_child_nodes(node)
    return reached


def _truth(test, data):
    """True or False of a condition on the board's drivers, its name or the runtime; None where only the start knows."""
    if isinstance(test, ast.BoolOp):
        values = [_truth(value, data) for value in test.values]
        decides = isinstance(test.op, ast.Or)  # one that is true decides an or, one that is false an and
        return decides if decides in values else None if None in values else not decides
    known = {"drivers": data["DRIVERS"], "board.NAME": data["NAME"], "sys.implementation.name": "micropython"}
    text = ast.unparse(test)
    names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
    if not names <= {"drivers"} and text.split(" ")[0] not in known:
        return None
    for name in ("board.NAME", "sys.implementation.name"):
        text = text.replace(name, repr(known[name]))
    try:
        return bool(eval(text, {"__builtins__": {}}, {"drivers": known["drivers"]}))
    except (KeyError, NameError):
        return None
