"""How a policy is written in TOML, declared once: where each rule of wire/rules.py stands, and how a person writes it.

A section is a table, named tables (`[scheme.visa]`), a list of tables (`[[sale]]`), or a table with keys of the writer's own
(`[codes]`). Rules and fields have the names of wire/rules.py. Kinds:
  text, number, flag, texts   as on the wire
  money     major units of the policy's currency, or of the row's own
  moment    a date or a date-time -> Unix seconds; a date is its first moment
  until     likewise; a date counts to its end
  date      a day -> YYYYMMDD
  ratio     a decimal -> millionths
  name      of the section itself
  choice    one of CHOICES
What stands under AIDS is no rule: it says how the rest is to be read, or becomes fields of another name.
"""

from firmware_agent.wire import messages, rules

ONE, NAMED, ROWS, KEYS = "table", "named tables", "list of tables", "own keys"

# section: (shape, rule or list that it becomes, table of its fields on the wire)
SECTIONS = {
    "policy": (ONE, None, rules.RULES),
    "device": (ONE, None, rules.RULES),
    "account": (ONE, None, rules.RULES),
    "disputes": (ONE, None, rules.RULES),
    "limits": (ONE, None, rules.RULES),
    "scheme": (NAMED, "schemes", rules.SCHEME),
    "rate": (ROWS, "rates", rules.RATE),
    "bank": (ONE, None, rules.RULES),
    "maintenance": (ROWS, "maintenance", rules.WINDOW),
    "codes": (KEYS, "codes", rules.CODE),
    "people": (ONE, None, rules.RULES),
    "role": (NAMED, "roles", rules.ROLE),
    "person": (ROWS, rules.PEOPLE, rules.PERSON),
    "unknown": (KEYS, "unknown", None),
    "found": (KEYS, "found", None),
    "gate": (ONE, None, rules.RULES),
    "sale": (ROWS, rules.SALES, rules.SALE),
    "dispute": (ROWS, rules.DISPUTES, rules.DISPUTE),
    "chargeback": (ROWS, rules.CHARGEBACKS, rules.CHARGEBACK),
}

# section, key, kind, the causes it is for (- none in particular, * all)
_PLACES = """
policy id text 57
policy version number 57
policy valid_from moment 57
policy expires until 57
policy terminals texts 21,57
policy agents texts 57
policy currency text 18,25,26,30,37,43,50,51
device installed moment 3
device max_age_days number 3
device max_reboots number 3
device max_wear_percent number 3
device min_battery number 3
device min_temperature number 6
device max_temperature number 6
device minimum_version text 8
device bad_versions texts 7
device max_crashes number 7
device models texts 46
device max_line_errors number 2
device damage_days number 11
device receipt_due flag 17
device max_ripple_mv number 4
device max_supply_drift_mv number 4
device max_clock_drift_s number 16
device max_host_ms number 15
device max_age_ms number *
account account_state choice 19
account account_at moment 19
account balance money 18
account balance_at moment 18
account account_days number 18,19
account details_days number 20
disputes disputes_at moment 22,24,25
disputes chargebacks_at moment 23
disputes lists_days number 22,23,24,25
disputes legal_amount money 25
limits max_per_minute number 29
limits daily_limit money 30
limits monthly_limit money 30
limits min_amount money 43
limits duplicate_window_s number 53
limits rate_tolerance_bp number 37
scheme name name 26,27,28,38,48
scheme cap money 26
scheme window_days number 27
scheme max_partial number 28
scheme spacing_s number 28
scheme refunds flag 48
scheme fee_bp number 38
rate currency text 37
rate date date 37
rate rate ratio 37
bank rules_version number 45
bank announced_version number 45
bank announced_from moment 45
bank code_window_s number *
maintenance days days 44
maintenance begin window 44
maintenance end window 44
codes code name *
codes cause cause *
people approval_from money 51
people approval_s number 51
people guided_from money 49,59
people procedure text 52
people procedure_days number 52
people support text 58
people support_until until 58
people retention_days number 60
people pin_tries number 50
people pin_rounds number 51
role name name 50,51
role limit money 50
role approves flag 51
person name text 49,50,51
person role text 50,51
person trained_until until 49
person salt hex 51
person pin_hash hex 51
gate gate_open flag -
gate gate_reversals flag -
gate gate_repeat_s number -
sale receipt number 26,27,31,34,39
sale date date 27,34
sale amount money 31
sale currency text 36
sale card text 39
sale scheme text 26,27,28,38,48
sale settled flag 33
dispute receipt number 22,24,25
dispute date date 22,24,25
dispute state choice 22,25
chargeback receipt number 23
chargeback date date 23
"""

# section, key, kind
_AIDS = """
policy utc offset
maintenance utc offset
person pin text
"""

CHOICES = {
    ("account", "account_state"): {name: name for name in ("open", "frozen", "restricted", "closed")},
    ("dispute", "state"): {"open": rules.OPEN, "agreed": rules.AGREED, "legal": rules.LEGAL},
    ("unknown", None): {"accept": messages.PASS, "warn": messages.WARN, "hold": messages.HOLD},
    ("found", None): {"warn": messages.WARN, "hold": messages.HOLD, "block": messages.BLOCK},
}

# Other words on the wire; begin and end of maintenance become begin_min and end_min where they are times of a day.
_ON_THE_WIRE = {("person", "pin_hash"): "pin"}

# Needed on the wire, and filled in: with the policy's currency, with "never trained", with "no PIN".
_FILLED_IN = (("sale", "currency"), ("person", "trained_until"), ("person", "salt"), ("person", "pin_hash"))

ANY = ("any", "*")  # a scheme's name in the source and on the wire
DEFAULT = "default"  # key of [unknown] for every other cause
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Place:
    """section, key, kind, causes (text), aid (bool); name: of the field that wire/rules.py declares for it, with low, high,
    wire_kind; these are None where it declares none. needed: it must stand there."""

    def __init__(self, section, key, kind, causes, aid):
        self.section, self.key, self.kind, self.causes, self.aid = section, key, kind, causes, aid
        self.name = _ON_THE_WIRE.get((section, key), key)
        self.low = self.high = self.wire_kind = None
        self.needed = False
        table = SECTIONS[section][2]
        for _, name, needed, wire_kind, low, high in () if aid or table is None else messages.fields(table):
            if name == self.name:
                self.low, self.high, self.wire_kind, self.needed = low, high, wire_kind, needed
        # a sale's currency is the policy's if it says nothing, nobody need be trained or have a PIN
        if (section, key) in (
            ("sale", "currency"),
            ("person", "trained_until"),
            ("person", "salt"),
            ("person", "pin_hash"),
        ):
            self.needed = False

    @property
    def said(self):
        """section.key, by which its text is found."""
        return f"{self.section}.{self.key}"


def _read():
    places = [Place(*line.split(), False) for line in _PLACES.split("\n") if line]
    places += [Place(*line.split(), "-", True) for line in _AIDS.split("\n") if line]
    table = {section: {} for section in SECTIONS}
    for place in places:
        table[place.section][place.key] = place
    return table


PLACES = _read()  # {section: {key: Place}}


def title(section):
    """How its header stands in a file."""
    shape = SECTIONS[section][0]
    if shape == NAMED:
        return f"[{section}.NAME]"
    return f"[[{section}]]" if shape == ROWS else f"[{section}]"


def sections_of(key):
    """The sections that know `key`."""
    return [section for section, places in PLACES.items() if key in places and SECTIONS[section][0] != KEYS]
