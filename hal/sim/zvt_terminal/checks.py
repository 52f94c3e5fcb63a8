"""What a terminal looks at in more than one command: password and currency. Refused where they are wrong."""

from hal.terminals.zvt import apdu

from .steps import Refused

WRONG_CURRENCY, NOT_POSSIBLE, PROTOCOL_ERROR = 0x6F, 0x83, 0x9A


def check_password(password, settings):
    if len(password) != 3:
        raise Refused(PROTOCOL_ERROR)
    if apdu.from_bcd(password) != settings.password:
        raise Refused(NOT_POSSIBLE)


def check_currency(currency, settings):
    if currency != settings.currency:
        raise Refused(WRONG_CURRENCY, apdu.bcd(settings.currency, 2))
