"""What python-dateutil makes of a rule, placed on instants by zoneinfo: a peer to be compared with, not a judge.

Reads one question a line: {"rule": {…}, "after": seconds, "until": seconds, "week_start": "sun", "step": "wall"};
answers each with one line, in the order in which dateutil names them: [[local time, seconds since 1970], …], at most
eight, all that lie after the one and not after the other. "step": "instant" lets minutes and hours step in UTC, as our
rule 2 does; without it they step on the wall clock, as dateutil does by itself.
"""

import datetime as dt
import itertools
import json
import sys
import zoneinfo

import tzdata
from dateutil import rrule

zoneinfo.reset_tzpath([])  # only the tzdata package, never the files of this machine

UTC = dt.timezone.utc
DAYS = {"mon": rrule.MO, "tue": rrule.TU, "wed": rrule.WE, "thu": rrule.TH, "fri": rrule.FR, "sat": rrule.SA, "sun": rrule.SU}
FREQUENCIES = {
    "once": rrule.DAILY,
    "minutes": rrule.MINUTELY,
    "hours": rrule.HOURLY,
    "days": rrule.DAILY,
    "weeks": rrule.WEEKLY,
    "months": rrule.MONTHLY,
}


def hours_of(window):
    """The hours that a window of whole hours lets through."""
    start = int(window["from"][:2]) if window.get("from") else 0
    end = int(window["to"][:2]) if window.get("to") else 24
    return [hour for hour in range(24) if (start <= hour < end if start < end else hour >= start or hour < end)]


def recurrence(question, start):
    """The rule in dateutil's words."""
    rule = question["rule"]
    words = {"dtstart": start, "wkst": DAYS[question.get("week_start") or "mon"]}
    if rule["repeat"] == "once":
        words["count"] = 1
    if rule.get("every"):
        words["interval"] = rule["every"]
    if rule.get("end_date"):
        words["until"] = dt.datetime.fromisoformat(rule["end_date"] + "T23:59:59")
    window = rule.get("window") or {}
    weekdays = rule.get("weekdays") or window.get("weekdays")
    if weekdays:
        words["byweekday"] = [DAYS[day] for day in weekdays]
    if window.get("from") or window.get("to"):
        words["byhour"] = hours_of(window)
    if rule.get("months"):
        words["bymonth"] = rule["months"]
    if rule.get("days_of_month"):
        words["bymonthday"] = [-1 if day == "last" else day for day in rule["days_of_month"]]
    return rrule.rrule(FREQUENCIES[rule["repeat"]], **words)


def answer(question):
    rule = question["rule"]
    zone = zoneinfo.ZoneInfo(rule["time_zone"])
    start = dt.datetime.fromisoformat(rule["start_date"] + "T" + rule["start_time"])
    if question.get("step") == "instant":
        start = start.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)
        zone = UTC
    # Far enough before `after` for what zones have ever moved by.
    first = dt.datetime.fromtimestamp(question["after"], zone).replace(tzinfo=None) - dt.timedelta(days=2)
    told = []
    for local in itertools.islice(recurrence(question, start).xafter(first, inc=True), 5000):
        at = int(local.replace(tzinfo=zone).timestamp())
        if at > question["until"] + 2 * 86400 or len(told) == 8:
            break
        if question["after"] < at <= question["until"]:
            told.append([local.strftime("%Y-%m-%d %H:%M"), at])
    return told


def main():
    print(json.dumps({"release": tzdata.IANA_VERSION}), flush=True)
    for line in sys.stdin:
        if line.strip():
            print(json.dumps(answer(json.loads(line))))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
