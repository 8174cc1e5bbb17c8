"""An independent reading of relative dates: what contract.md and product.md say in words, read by walking the calendar.

Reads one question a line: {"text": "end of last month +5d", "at": seconds, "zone": "Europe/Paris"}; answers each with one
line, the day ("2026-10-05") or null where no calendar of the years 1 to 9999 has it. The first line out names the release
of the zone database, which must be that of the other side.

Today is the day on the wall of the zone at that instant. Weeks begin on Monday, quarters in January, April, July and
October. So many months, quarters or years away is the same day of that month, or its last where it is too short. It never
reckons where a period begins: it walks, day by day, until the next day would lie in another one.
"""

import datetime as dt
import json
import re
import sys
import zoneinfo

import tzdata

zoneinfo.reset_tzpath([])  # only the tzdata package, never the files of this machine

DAY = dt.timedelta(days=1)
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
MONTHS = {"month": 1, "quarter": 3, "year": 12}
UNITS = {"d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}


class NoSuchDay(Exception):
    pass


def later(day, days):
    try:
        return day + days * DAY
    except OverflowError:
        raise NoSuchDay from None


def unit(word):
    word = word.removesuffix("s")
    return UNITS.get(word, word)


def walk_months(day, count):
    """The same day so many months away, month after month; the day is cut where only the last month is too short."""
    year, month = day.year, day.month
    for _ in range(abs(count)):
        month += 1 if count > 0 else -1
        if month == 0:
            year, month = year - 1, 12
        if month == 13:
            year, month = year + 1, 1
    for number in range(day.day, 27, -1):
        try:
            return dt.date(year, month, number)
        except ValueError:
            if not 1 <= year <= 9999:
                raise NoSuchDay from None
    if not 1 <= year <= 9999:
        raise NoSuchDay
    return dt.date(year, month, day.day)


def away(day, count, of):
    if of == "day":
        return later(day, count)
    if of == "week":
        return later(day, 7 * count)
    return walk_months(day, count * MONTHS[of])


def same_period(a, b, of):
    if of == "day":
        return a == b
    if of == "week":
        return a.isocalendar()[:2] == b.isocalendar()[:2]
    if of == "month":
        return (a.year, a.month) == (b.year, b.month)
    if of == "quarter":
        return (a.year, (a.month + 2) // 3) == (b.year, (b.month + 2) // 3)
    return a.year == b.year


def edge(day, of, step):
    """The last day of the period, walking one way."""
    while same_period(day, later(day, step), of):
        day = later(day, step)
    return day


def into(today, count, of):
    """Some day of the period so many of its kind away: over its edge, again and again."""
    day = today
    for _ in range(abs(count)):
        day = later(edge(day, of, 1), 1) if count > 0 else later(edge(day, of, -1), -1)
    return day


def period(words):
    """`last month`, `quarter`, `-2m`, `3 weeks ago`: how many away, of what."""
    if found := re.fullmatch(r"([+-]) ?(\d+) ?(\w+)", words):
        sign, count, of = found.groups()
        return (-1 if sign == "-" else 1) * int(count), unit(of)
    if found := re.fullmatch(r"(\d+) (\w+) ago", words):
        return -int(found[1]), unit(found[2])
    if found := re.fullmatch(r"in (\d+) (\w+)", words):
        return int(found[1]), unit(found[2])
    which, _, of = words.rpartition(" ")
    return {"": 0, "this": 0, "last": -1, "next": 1}[which], unit(of)


def base(today, words):
    if words in ("today", ""):
        return today
    if words == "yesterday":
        return later(today, -1)
    if words == "tomorrow":
        return later(today, 1)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", words):
        return dt.date.fromisoformat(words)
    if found := re.fullmatch(r"(start|end|first day|last day) of (.+)", words):
        count, of = period(found[2])
        return edge(into(today, count, of), of, -1 if found[1] in ("start", "first day") else 1)
    if found := re.fullmatch(r"day (\d+) of (.+)", words):
        count, of = period(found[2])
        day = edge(into(today, count, of), of, -1)
        while day.day < int(found[1]) and same_period(day, later(day, 1), of):
            day = later(day, 1)
        return day
    if found := re.fullmatch(r"(first|second|third|fourth|last) (\w+day) of (.+)", words):
        count, of = period(found[3])
        first = edge(into(today, count, of), of, -1)
        last = edge(first, of, 1)
        days = [later(first, n) for n in range((last - first).days + 1)]
        days = [day for day in days if WEEKDAYS[day.weekday()] == found[2]]
        return days[["first", "second", "third", "fourth"].index(found[1]) if found[1] != "last" else -1]
    if found := re.fullmatch(r"(last|next) (\w+day)", words):
        step = -1 if found[1] == "last" else 1
        day = later(today, step)
        while WEEKDAYS[day.weekday()] != found[2]:
            day = later(day, step)
        return day
    if found := re.fullmatch(r"(\w+day)(?: of (.+))?", words):
        count, of = period(found[2]) if found[2] else (0, "week")
        day = edge(into(today, count, of), of, -1)
        while WEEKDAYS[day.weekday()] != found[1]:
            day = later(day, 1)
        return day
    count, of = period(words)
    return away(today, count, of)


def answer(question):
    zone = zoneinfo.ZoneInfo(question["zone"])
    today = dt.datetime.fromtimestamp(question["at"], zone).date()
    # What is added stands behind the base: "end of -2m +5d -1w" adds five days and takes a week from the end of -2m.
    words, added = question["text"], ""
    if found := re.search(r"(?<! of)(?: [+-]\d+[dwmqy])+$", words):
        words, added = words[: found.start()], found[0]
    try:
        day = base(today, words)
        for sign, count, of in re.findall(r"([+-])(\d+)([dwmqy])", added):
            day = away(day, (-1 if sign == "-" else 1) * int(count), unit(of))
    except NoSuchDay:
        return None
    return day.isoformat()


def main():
    print(json.dumps({"release": tzdata.IANA_VERSION}), flush=True)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(json.loads(line))))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
