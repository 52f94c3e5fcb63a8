"""Libraries from PyPI that know rules, each handed the same sixty rules (rules.py) and reasons (reasons.py) once, and the
same facts as often as asked.

A peer's `decide`(facts) is the cheapest that its own documentation shows for rules that stay and facts that change: a list of
sixty answers, in the order of the rules. `why`(facts, places): the reasons of those whose rule is not true, by their places.
"""

import ast
import json
from importlib import metadata

from .reasons import FOUND


class Text:
    """Writes a rule in the words of a library's own language."""

    def __init__(self, **words):
        self.words = {"and": "and", "or": "or", "not": "not ", **words}

    def __call__(self, node):
        return getattr(self, type(node).__name__)(node)

    def Expression(self, node):
        return self(node.body)

    def BoolOp(self, node):
        word = self.words["and" if isinstance(node.op, ast.And) else "or"]
        return "(" + f" {word} ".join(map(self, node.values)) + ")"

    def UnaryOp(self, node):
        return f"{self.words['not']}({self(node.operand)})"

    def Compare(self, node):
        left, right = self(node.left), self(node.comparators[0])
        if isinstance(node.ops[0], ast.NotIn):
            return f"{self.words['not']}({left} in {right})"
        return f"{left} {_SIGNS[type(node.ops[0])]} {right}"

    def BinOp(self, node):
        return f"({self(node.left)} {_SIGNS[type(node.op)]} {self(node.right)})"

    def IfExp(self, node):
        return f"({self(node.test)} ? {self(node.body)} : {self(node.orelse)})"

    def Name(self, node):
        return node.id

    def Constant(self, node):
        return json.dumps(node.value)


class JsonLogic:
    """Writes a rule as JsonLogic: {operator: [operands]}."""

    def __call__(self, node):
        return getattr(self, type(node).__name__)(node)

    def Expression(self, node):
        return self(node.body)

    def BoolOp(self, node):
        return {"and" if isinstance(node.op, ast.And) else "or": list(map(self, node.values))}

    def UnaryOp(self, node):
        return {"!": [self(node.operand)]}

    def Compare(self, node):
        operands = [self(node.left), self(node.comparators[0])]
        if isinstance(node.ops[0], ast.NotIn):
            return {"!": [{"in": operands}]}
        sign = _SIGNS[type(node.ops[0])]
        if sign in ("==", "!="):
            sign += "="  # without its coercion, which costs and is not wanted
        return {sign: operands}

    def BinOp(self, node):
        return {_SIGNS[type(node.op)]: [self(node.left), self(node.right)]}

    def IfExp(self, node):
        chain = []
        while isinstance(node, ast.IfExp):
            chain += [self(node.test), self(node.body)]
            node = node.orelse
        return {"if": [*chain, self(node)]}

    def Name(self, node):
        return {"var": node.id}

    def Constant(self, node):
        return node.value


_SIGNS = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.In: "in",
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
}


def written(rules, language):
    return [language(ast.parse(rule, mode="eval")) for rule in rules.values()]


def chosen(reasons):
    """{cause: an expression that tells the reason} of {cause: [(condition, outcome)]}."""
    expressions = {}
    for cause, lines in reasons.items():
        text = json.dumps(FOUND)
        for condition, outcome in reversed(lines):
            outcome = json.dumps(outcome)
            text = f"({outcome} if {condition} else {text})" if condition else outcome
        expressions[cause] = text
    return expressions


class RuleEngine:
    """A rule is parsed once; its answers are asked for one by one."""

    package = "rule-engine"
    compiled = False

    def __init__(self, rules, reasons):
        import rule_engine

        self.rules = [rule_engine.Rule(rule) for rule in written(rules, Text())]
        self.reasons = [rule_engine.Rule(reason) for reason in written(reasons, Text())]

    def decide(self, facts):
        return [rule.matches(facts) for rule in self.rules]

    def why(self, facts, places):
        return [self.reasons[place].evaluate(facts) for place in places]


class JsonLogicQubit:
    """Rules are data: there is nothing to parse, and no way to do it once."""

    package = "json-logic-qubit"
    compiled = False

    def __init__(self, rules, reasons):
        from json_logic import jsonLogic

        self.apply = jsonLogic
        self.rules = written(rules, JsonLogic())
        self.reasons = written(reasons, JsonLogic())

    def decide(self, facts):
        apply = self.apply
        return [apply(rule, facts) for rule in self.rules]

    def why(self, facts, places):
        return [self.apply(self.reasons[place], facts) for place in places]


class Zen:
    """In Rust. All rules are one expression that makes a list, so that the facts go over to Rust once, not sixty times."""

    package = "zen-engine"
    compiled = True

    def __init__(self, rules, reasons):
        import zen

        self.rules = zen.compile_expression("[" + ", ".join(written(rules, Text())) + "]")
        self.reasons = zen.compile_expression("[" + ", ".join(written(reasons, Text())) + "]")

    def decide(self, facts):
        return self.rules.evaluate(facts)

    def why(self, facts, places):
        reasons = self.reasons.evaluate(facts)
        return [reasons[place] for place in places]


class Datalogic:
    """JsonLogic in Rust; one list, as above."""

    package = "datalogic-py"
    compiled = True

    def __init__(self, rules, reasons):
        import datalogic_py

        self.rules = datalogic_py.Engine().compile(written(rules, JsonLogic()))
        self.reasons = datalogic_py.Engine().compile(written(reasons, JsonLogic()))

    def decide(self, facts):
        return self.rules.evaluate(facts)

    def why(self, facts, places):
        reasons = self.reasons.evaluate(facts)
        return [reasons[place] for place in places]


class CommonExpressionLanguage:
    """Google's CEL in Rust; one list, as above."""

    package = "common-expression-language"
    compiled = True

    def __init__(self, rules, reasons):
        import cel

        language = Text(**{"and": "&&", "or": "||", "not": "!"})
        self.rules = cel.compile("[" + ", ".join(written(rules, language)) + "]")
        self.reasons = cel.compile("[" + ", ".join(written(reasons, language)) + "]")

    def decide(self, facts):
        return self.rules.execute(facts)

    def why(self, facts, places):
        reasons = self.reasons.execute(facts)
        return [reasons[place] for place in places]


PEERS = (RuleEngine, JsonLogicQubit, Zen, Datalogic, CommonExpressionLanguage)


def version(peer):
    return f"{peer.package} {metadata.version(peer.package)}"
