"""Records when tomodachi's intervals come: `python record_tomodachi.py > tomodachi.txt`, where tomodachi is installed.

A line is `interval | from | times`, or `interval | refused`. Expressions are asked for at whole minutes, from which its
search is not misled in the last minute of a day.
"""
import datetime
import os
import random
import time

os.environ["TZ"] = "UTC"
time.tzset()

from tomodachi.helpers.crontab import get_next_datetime  # noqa: E402
from tomodachi.transport.schedule import Scheduler  # noqa: E402

MINUTE = datetime.timedelta(minutes=1)
STARTS = [datetime.datetime(2026, 11, 21, 10, 17), datetime.datetime(2027, 12, 30, 23, 59), datetime.datetime(2028, 2, 27, 0, 0)]


def times(expression, start, most=6):
    found, at = [], start
    while len(found) < most:
        at = get_next_datetime(expression, at)
        if at is None:
            break
        found.append(at.strftime("%Y-%m-%dT%H:%M"))
        at += MINUTE
    return found


def expression_line(expression):
    try:
        start = random.choice(STARTS)
        print(f"{expression} | {start:%Y-%m-%dT%H:%M} | {' '.join(times(expression, start))}")
    except Exception:
        print(f"{expression} | refused")


def word_line(word):
    try:
        at, found = datetime.datetime(2026, 11, 21, 10, 17, 30, tzinfo=datetime.timezone.utc).timestamp(), []
        for _ in range(3):
            at = Scheduler.next_call_at(at, interval=word, timezone="UTC")
            found.append(datetime.datetime.fromtimestamp(at, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M"))
        print(f"{word} | 2026-11-21T10:18 | {' '.join(found)}")
    except Exception:
        print(f"{word} | refused")


def item(low, high, names):
    def value():
        number = random.randint(low, high)
        return names[number - low] if names and number - low < len(names) and random.random() < 0.3 else str(number)

    kind = random.randrange(6)
    if kind == 0:
        return f"*/{random.randint(1, high - low)}"
    if kind == 1:
        return f"{value()}/{random.randint(1, high - low)}"
    if kind == 2:
        return f"{value()}-{value()}"
    if kind == 3:
        return f"{value()}-{value()}/{random.randint(2, 7)}"
    return value()


def field(low, high, names=(), star=0.5):
    if random.random() < star:
        return "*"
    return ",".join(item(low, high, names) for _ in range(random.choice([1, 1, 2])))


MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
DAYS = "sun mon tue wed thu fri sat".split()
FIXED = """* * * * *|1/2 * * * *|7/8 * * * *|0 3/5 * * *|0 0 * jan/2 *|10-50/7 * * * *|50-10/7 * * * *|0 0 * dec-feb *
0 0 * 11-2 *|0 0 * * 5-1|0 0 * * sat-sun|0 0 * * mon-sun|0 0 * * 5-mon|0 0 * * mon-5|0 0 * * fri-mon|0 0 * * sun-tue
39 3 L * *|0 0 * * Lsun|0 0 * * Lfri|0 0 * * L5|0 0 * * lwed-fri|0 0 * * L|0 0 * * Lmon,Lfri|0 0 L * Lfri|0 0 L * mon
0 0 13 * fri|0 0 ? * mon|0 0 1 * ?|0 0 * * 7|0 0 * * 1/2|0 0 * * */2|0 0 29 2 *|0 0 29 2 * 2027-2032|0 0 1 1 * 2099
0 0 31 * *|0 0 30 2 *|0 0 29 2 * 2017-2019|0 0 30 2 mon|5|5 4|0 0 1|? ? ? ? ?|0 0 1,15 * *|0 12 * * MON-FRI|*/0 * * * *
60 * * * *|x * * * *|1-2-3 * * * *|-5 * * * *|0 0 0 * *|0 0 * 13 *|0 0 * * 8|0 0 * * * 1969|59 23 * * *|59 23 30,31 * *
@yearly|@annually|@monthly|@weekly|@daily|@hourly|@minutely|@reboot|0 0 * * fri#2|0 0 15W * *"""
WORDS = """every minute|1m|1 minute|minutely|once per minute|hour|hourly|1 h|day|daily|nightly|1d|month|monthly|1month|year
annually|1y|monday|mondays|mon|every monday|once per monday|weekly|every week|once per week|tuesday|wed|thursdays|fri
every saturday|once per sunday|sun|weekday|weekdays|every weekday|weekend|weekends|5 minutes|10m|2h|3 days|fortnightly
Daily|EVERY MONDAY|@every 5m"""

random.seed(6)
for expression in FIXED.replace("\n", "|").split("|"):
    expression_line(expression)
for word in WORDS.replace("\n", "|").split("|"):
    word_line(word)
for _ in range(150):
    expression_line(
        " ".join([field(0, 59), field(0, 23), field(1, 31, star=0.6), field(1, 12, MONTHS, 0.7), field(0, 7, DAYS, 0.6)])
    )
