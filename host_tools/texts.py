"""The texts of one language, looked up by key."""

from . import texts_en, texts_zh

LANGUAGES = {"en": texts_en.TABLE, "zh": texts_zh.TABLE}


class Texts:
    """Texts of `language`, "en" or "zh". An unknown key is a KeyError: a test walks them all."""

    def __init__(self, language):
        self.language = language
        self._table = LANGUAGES[language]

    def __call__(self, section, key, /, **fields):
        """The text of a key with its braces filled in."""
        text = self._table[section][key]
        return text.format(**fields) if fields else text

    def table(self, section):
        """A whole section."""
        return self._table[section]

    def cause(self, number):
        """The CauseText of a cause."""
        return self._table["cause"][number]

    def people(self, keys):
        """Who mends it, as one text."""
        return self.join(self._table["who"][key] for key in keys)

    def join(self, parts):
        return self("word", "list").join(parts)

    def has(self, section, key):
        return key in self._table[section]


def language_of(environment):
    """The reader's language: REFUNDCTL_LANG, else the locale (LC_ALL, LC_MESSAGES, LANG, as POSIX orders them)."""
    for name in ("REFUNDCTL_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            return "zh" if value.lower().startswith("zh") else "en"
    return "en"
