"""A lease in S3: whose it is, when it has ended, who gets it, and how it is renewed, lost and given back."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from ansible.module_utils.s3_lease import Held, Lease, Store, ends, lasted, renew, standing, take, told
from ansible.module_utils.s3_lease_keeper import keep
from botocore.exceptions import ClientError, EndpointConnectionError

# Years away from this machine's clock: only S3's own may count.
START = datetime(2001, 1, 1, 12, 0, tzinfo=UTC)
KIM = Lease(run="kim1", owner="kim@laptop", command="site.yml", process=7, since=START, seconds=300)
LEE = replace(KIM, run="lee1", owner="lee@ci")


def failure(code, now):
    answer = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPHeaders": {"date": date(now)}}}
    return ClientError(answer, "Operation")


def date(now):
    return format_datetime(now, usegmt=True)


class S3:
    """One object, S3's conditions, and a clock of its own. ``faults`` are errors to come, before or after the work."""

    def __init__(self):
        self.now, self.stored, self.writes, self.faults = START, None, 0, []

    def pass_time(self, seconds):
        self.now += timedelta(seconds=seconds)

    def owner(self):
        return json.loads(self.stored["body"])["owner"] if self.stored else None

    def get_object(self, Bucket, Key):
        if self.stored is None:
            raise failure("NoSuchKey", self.now)
        answer = {"Body": io.BytesIO(self.stored["body"]), "ETag": self.stored["etag"], **self._answer()}
        return {**answer, "LastModified": self.stored["written"]}

    def put_object(self, Body, IfMatch="", IfNoneMatch="", **_):
        fault = self.faults.pop(0) if self.faults else None
        if isinstance(fault, Exception):
            raise fault
        self._require(IfMatch, IfNoneMatch)
        self.writes += 1
        self.stored = {"body": Body, "etag": f'"{self.writes}"', "written": self.now}
        if fault == "answer lost":  # botocore sends the request again
            self._require(IfMatch, IfNoneMatch)
        return {"ETag": self.stored["etag"], **self._answer()}

    def delete_object(self, IfMatch, **_):
        self._require(IfMatch, "")
        self.stored = None

    def _answer(self):
        return {"ResponseMetadata": {"HTTPHeaders": {"date": date(self.now)}}}

    def _require(self, if_match, if_none_match):
        if if_none_match and self.stored:
            raise failure("PreconditionFailed", self.now)
        if if_match and not self.stored:
            raise failure("NoSuchKey", self.now)
        if if_match and self.stored["etag"] != if_match:
            raise failure("PreconditionFailed", self.now)


@pytest.fixture
def s3():
    return S3()


@pytest.fixture
def store(s3):
    return Store(s3, "bucket", "lock.json")


@pytest.mark.parametrize(
    ("lease", "means"),
    [
        (None, "free"),
        (replace(LEE, age=0), "mine"),
        (replace(LEE, age=1000), "mine"),
        (replace(KIM, age=0), "held"),
        (replace(KIM, age=302), "held"),
        (replace(KIM, age=303), "expired"),
        (replace(KIM, age=-5), "held"),
        (replace(KIM, seconds=10, age=13), "expired"),
    ],
)
def test_a_lease_is_free_mine_held_or_expired(lease, means):
    assert standing(lease, "lee1") == means


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "0 s"), (0, "0 s"), (59, "59 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (400000, "5 d")],
)
def test_a_time_is_said_in_the_unit_that_fits(seconds, words):
    assert lasted(seconds) == words


def test_it_says_who_holds_it_since_when_with_what_and_until_when():
    now = START + timedelta(minutes=4)
    since = "since 2001-01-01 12:00:00 UTC (4 min ago)"
    assert told(KIM, now) == f"kim@laptop holds the lock {since}, with site.yml (process 7)"
    assert ends(replace(KIM, age=182)) == "Its lease ends in 2 min unless it is renewed, as a run that lives does"
    assert ends(replace(KIM, age=400)) == "Its lease has ended"


def test_a_free_lease_is_taken_with_s3s_time_whatever_this_machines_clock_says(store, s3):
    taken = take(store, replace(LEE, since=datetime.now(UTC)), 0)
    assert taken.since == START
    record = json.loads(s3.stored["body"])
    assert (record["owner"], record["since"]) == ("lee@ci", "2001-01-01T12:00:00+00:00")
    assert record["expires"] == "2001-01-01T12:05:00+00:00"


def test_a_held_lease_is_refused_at_once_and_untouched(store, s3):
    take(store, KIM, 0)
    s3.pass_time(60)
    with pytest.raises(Held, match=r"kim@laptop holds the lock since 2001-01-01 12:00:00 UTC \(60 s ago\)"):
        take(store, LEE, 0)
    assert (s3.owner(), s3.writes) == ("kim@laptop", 1)


def test_who_waits_gets_it_when_it_is_given_back(store, s3):
    kims = take(store, KIM, 0)
    looks = []

    def sleep(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            store.remove(kims)

    assert take(store, LEE, 600, sleep).run == "lee1"
    assert looks == [2, 2, 2]


def test_who_waits_gets_it_when_a_dead_runs_lease_has_ended(store, s3):
    take(store, KIM, 0)
    assert take(store, LEE, 600, lambda seconds: s3.pass_time(60)).run == "lee1"
    assert s3.now - START == timedelta(seconds=360)


def test_of_two_who_find_an_ended_lease_the_faster_gets_it(s3):
    first, second = Store(s3, "bucket", "lock.json"), Store(s3, "bucket", "lock.json")
    take(first, replace(KIM, run="dead", owner="dead"), 0)
    s3.pass_time(400)
    found = second.look()
    assert take(first, KIM, 0).run == "kim1"
    assert second.write(replace(LEE, etag=found.etag)) is None
    with pytest.raises(Held, match="kim@laptop"):
        take(second, LEE, 0)


def test_a_conflict_is_looked_at_again(store, s3):
    s3.faults = [failure("ConditionalRequestConflict", START)]
    assert take(store, LEE, 0).run == "lee1"


def test_a_lease_whose_answer_was_lost_is_known_as_ones_own(store, s3):
    s3.faults = ["answer lost"]
    taken = take(store, LEE, 0)
    assert (taken.run, s3.writes) == ("lee1", 1)
    s3.faults = ["answer lost"]
    assert renew(store, taken).etag == s3.stored["etag"]


def test_conflicts_without_end_are_an_error(store, s3):
    s3.faults = [failure("ConditionalRequestConflict", START)] * 100
    with pytest.raises(Exception, match="refused to write the lock 20 times"):
        take(store, LEE, 0)


def test_an_object_that_nobody_can_read_is_held_until_it_is_old(store, s3):
    s3.stored = {"body": b"{", "etag": '"x"', "written": START}
    with pytest.raises(Held, match="somebody holds the lock"):
        take(store, LEE, 0)
    s3.pass_time(303)
    assert take(store, LEE, 0).run == "lee1"


def test_each_renewal_is_another_object(store, s3):
    taken = take(store, KIM, 0)
    bodies = [s3.stored["body"]]
    for _ in range(3):
        taken = renew(store, taken)
        bodies.append(s3.stored["body"])
    assert len(set(bodies)) == 4
    assert taken.since == START


class Life:
    """What happens to a keeper, one event after another, each with something that happens before."""

    def __init__(self, *events):
        self.events = list(events)
        self.waited = []

    def __call__(self, seconds):
        self.waited.append(seconds)
        before, event = self.events.pop(0)
        before()
        return event


def nothing():
    pass


def unreachable():
    return EndpointConnectionError(endpoint_url="http://s3")


def test_a_keeper_renews_ten_times_a_lease_and_gives_it_back_when_told(store, s3):
    life = Life((nothing, "time"), (nothing, "time"), (nothing, "told"))
    assert keep(store, take(store, KIM, 0), life) == ""
    assert (life.waited, s3.writes, s3.stored) == ([30, 30, 30], 3, None)


def test_a_keeper_whose_run_is_gone_gives_the_lease_back(store, s3):
    assert keep(store, take(store, KIM, 0), Life((nothing, "gone"))) == ""
    assert s3.stored is None


def test_a_keeper_says_who_has_the_lease_that_it_lost(store, s3):
    def taken():
        s3.pass_time(400)
        take(Store(s3, "bucket", "lock.json"), LEE, 0)

    assert keep(store, take(store, KIM, 0), Life((taken, "time"))).startswith("lee@ci holds the lock since ")
    assert s3.owner() == "lee@ci"


def test_a_keeper_says_that_somebody_broke_the_lock(store, s3):
    def broken():
        s3.stored = None

    assert "unlock.yml" in keep(store, take(store, KIM, 0), Life((broken, "time")))


def test_a_renewal_that_fails_is_tried_again_while_the_lease_lasts(store, s3):
    def fails():
        s3.faults = [unreachable()]

    life = Life((fails, "time"), (fails, "time"), (nothing, "time"), (nothing, "told"))
    assert keep(store, take(store, KIM, 0), life) == ""
    assert (s3.writes, s3.stored) == (2, None)


def test_a_lease_that_could_not_be_renewed_for_its_whole_length_is_lost(store, s3, monkeypatch):
    taken = take(store, KIM, 0)
    clock = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def fails():
        clock[0] += 30
        s3.faults = [unreachable()]

    life = Life(*[(fails, "time")] * 20)
    assert keep(store, taken, life).startswith("it could not be renewed for 300 s: Could not connect")
    assert len(life.waited) == 11


def test_a_keeper_whose_bucket_was_destroyed_lives_on_with_nothing_to_do(store, s3):
    def destroyed():
        s3.faults = [failure("NoSuchBucket", START)]

    life = Life((destroyed, "time"), (nothing, "time"), (nothing, "time"), (nothing, "told"))
    assert keep(store, take(store, KIM, 0), life) == ""
    assert (life.events, s3.writes) == ([], 1)


def test_a_keeper_never_removes_anothers_lease(store, s3):
    def taken():
        s3.pass_time(400)
        take(Store(s3, "bucket", "lock.json"), LEE, 0)

    assert keep(store, take(store, KIM, 0), Life((taken, "told"))) == ""
    assert s3.owner() == "lee@ci"
