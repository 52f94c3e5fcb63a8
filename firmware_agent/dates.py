"""Days and dates. A date is an integer YYYYMMDD, a day the number of days since 1970-01-01; UTC.

After H. Hinnant's "chrono-compatible low-level date algorithms".
"""

DAY_S = 86400


def date_of(day):
    """The date of a day."""
    z = day + 719468
    era = z // 146097
    doe = z - era * 146097
    yoe = (doe - doe // 1460 + doe // 36524 - doe // 146096) // 365
    doy = doe - (365 * yoe + yoe // 4 - yoe // 100)
    mp = (5 * doy + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    year = yoe + era * 400 + (1 if month <= 2 else 0)
    return year * 10000 + month * 100 + doy - (153 * mp + 2) // 5 + 1


def day_of(date):
    """The day of a date; of one that does not exist (30 February) some day near it."""
    year, month = date // 10000, date // 100 % 100
    if month <= 2:
        year -= 1
    era = year // 400
    yoe = year - era * 400
    doy = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + date % 100 - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


def last(mmdd, wall_s):
    """The date of the latest day with this month and day that is not after tomorrow (clocks of two devices differ)."""
    today = date_of(wall_s // DAY_S + 1)
    date = today // 10000 * 10000 + mmdd
    return date if date <= today else date - 10000
