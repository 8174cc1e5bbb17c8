"""An independent reading of the rules of "When", with nothing but Python's zoneinfo.

Reads one question a line: {"rule": {…}, "after": seconds, "until": seconds}; answers each with one line, the list of
the first three occurrences that lie after the one and not after the other, in seconds since 1970. The first line out
names the release of the zone database, which must be that of the other side. It walks day by day or step by step and
asks of each whether the rule means it; it shares no formula with what it judges.
"""

import calendar
import datetime as dt
import json
import os
import sys
import zoneinfo

import tzdata

zoneinfo.reset_tzpath([])  # only the tzdata package, never the files of this machine

UTC = dt.timezone.utc
DAY = dt.timedelta(days=1)
KEYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
LAST = dt.date(2099, 12, 31)


def instant(local, zone):
    """Where a wall-clock time lands. PEP 495 with fold=0 is what rule 8 asks: a repeated time is the first of the
    two, a skipped one is read by the clock before the gap, so moved forward by what was skipped."""
    return int(local.replace(tzinfo=zone, fold=0).timestamp())


def wall(at, zone):
    return dt.datetime.fromtimestamp(at, zone).replace(tzinfo=None, fold=0)


def minutes(text, absent):
    return absent if text is None else int(text[:2]) * 60 + int(text[3:])


def in_window(window, local):
    if window is None:
        return True
    start, end = minutes(window.get("from"), 0), minutes(window.get("to"), 1440)
    days = window.get("weekdays") or KEYS
    now = local.hour * 60 + local.minute
    today = KEYS[local.weekday()] in days
    if start < end:
        return today and start <= now < end
    yesterday = KEYS[(local.weekday() - 1) % 7] in days
    return (today and now >= start) or (yesterday and now < end)


def stop_of(end, zone):
    """The first instant whose local date is after the end."""
    at = int(dt.datetime(end.year, end.month, end.day, tzinfo=UTC).timestamp()) - 86400
    while wall(at, zone).date() <= end:
        at += 900
    at -= 900
    while wall(at, zone).date() <= end:
        at += 30
    return at


def stepping(rule, zone, start, end, after, until):
    step = 60 * (rule["every"] if rule["repeat"] == "minutes" else 60)
    at = start
    if after >= start:
        at = start + ((after - start) // step + 1) * step
    until = min(until, stop_of(end, zone) - 1)
    while at <= until:
        if in_window(rule.get("window"), wall(at, zone)):
            yield at
        at += step


def means(rule, day, first):
    kind = rule["repeat"]
    if kind == "once":
        return day == first
    if kind == "days":
        return (day - first).days % rule["every"] == 0
    if kind == "weeks":
        monday = first - DAY * first.weekday()
        return (day - monday).days // 7 % rule["every"] == 0 and KEYS[day.weekday()] in rule["weekdays"]
    if kind == "months":
        if rule.get("months") and day.month not in rule["months"]:
            return False
        length = calendar.monthrange(day.year, day.month)[1]
        days = {length if d == "last" else min(d, length) for d in rule["days_of_month"]}
        return day.day in days
    return True


def slots(rule, zone, start, end, after, until):
    """Every landing after `after` up to `until`, sorted: what is skipped can land behind what is not."""
    first = dt.date.fromisoformat(rule["start_date"])
    time = minutes(rule["start_time"], 0)
    begin = dt.datetime.combine(first, dt.time(time // 60, time % 60))
    if rule["repeat"] == "hours":
        times = sorted((time + k * 60 * rule["every"]) % 1440 for k in range(24 // rule["every"]))
    else:
        times = [time]
    day = max(first, wall(max(after, start) - 3 * 86400, zone).date())
    waiting = []
    while day <= end:
        # All that a later day can land on is later than this.
        sure = instant(dt.datetime.combine(day, dt.time(0)), zone) - 2 * 86400
        ready = sorted({at for at in waiting if at < sure})
        yield from ready
        waiting = [at for at in waiting if at >= sure]
        if sure > until:
            break
        if means(rule, day, first):
            for t in times:
                local = dt.datetime.combine(day, dt.time(t // 60, t % 60))
                if local >= begin and (rule["repeat"] != "hours" or in_window(rule.get("window"), local)):
                    at = instant(local, zone)
                    if at > after and start <= at <= until:
                        waiting.append(at)
        day += DAY
    yield from sorted(set(waiting))


def answer(question):
    rule, after, until = question["rule"], question["after"], question["until"]
    zone = zoneinfo.ZoneInfo(rule["time_zone"])
    begin = dt.datetime.fromisoformat(rule["start_date"] + "T" + rule["start_time"])
    start = instant(begin, zone)
    end = dt.date.fromisoformat(rule["end_date"]) if rule.get("end_date") else LAST
    elapsed = rule["repeat"] == "minutes" or (rule["repeat"] == "hours" and rule["every"] == 1)
    found = []
    for at in (stepping if elapsed else slots)(rule, zone, start, end, after, until):
        if not found or at > found[-1]:
            found.append(at)
        if len(found) == 3:
            break
    return found


def main():
    print(json.dumps({"release": tzdata.IANA_VERSION}), flush=True)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(json.loads(line))))
    sys.stdout.flush()


if __name__ == "__main__":
    assert "PYTHONTZPATH" not in os.environ or not os.environ["PYTHONTZPATH"]
    main()
