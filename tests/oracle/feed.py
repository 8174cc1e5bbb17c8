"""Reads calendars as calendar programs do: with the `icalendar` package, which is nobody's here.

Reads one question a line: {"text": "BEGIN:VCALENDAR…"}; answers each with one line: the calendar's name and description,
and its events in their order, each with "uid", "from" and "to" (seconds since 1970), "summary", "description",
"category", "url". The first line out names the release of the zone database.
"""

import json
import sys

import icalendar
import tzdata

print(json.dumps({"release": tzdata.IANA_VERSION}), flush=True)

for question in sys.stdin:
    calendar = icalendar.Calendar.from_ical(json.loads(question)["text"])
    assert not calendar.errors, calendar.errors
    events = []
    for event in calendar.walk("VEVENT"):
        assert not event.errors, event.errors
        start, end = event["DTSTART"].dt, event["DTEND"].dt
        assert start.utcoffset().total_seconds() == 0 and end > start, (start, end)
        assert "RRULE" not in event
        events.append({
            "uid": str(event["UID"]),
            "from": int(start.timestamp()),
            "to": int(end.timestamp()),
            "summary": str(event["SUMMARY"]),
            "description": str(event["DESCRIPTION"]),
            "category": str(event["CATEGORIES"].cats[0]),
            "url": str(event["URL"]),
        })
    print(json.dumps({"name": str(calendar["X-WR-CALNAME"]), "about": str(calendar["X-WR-CALDESC"]), "events": events}))
