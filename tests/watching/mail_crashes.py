"""Kill everything that happens to people who sign up, at every kind of moment, and compare what came of it.

::

    PYTHONPATH=tests python tests/watching/mail_crashes.py FOLDER --rounds 20 --seed 1      # prints what came of it

Each round some people sign up, are asked, press the button or do not, and leave; then the registry changes and `sync`
runs. Each of these happens in child processes that are killed (SIGKILL) until one comes to its end. A model, which
knows only who pressed and what changed, says who is signed up and what each is told.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from trialindex.index import Index
from trialindex.plugin import registry
from trialindex.plugin.hookspecs import hookimpl
from trialindex.plugin.interfaces import Notifier
from trialindex.plugin.messages import Delivery, Invitation
from trialindex.watching import MailSettings, PublicLinks, Subscribers, Watches, send_mails, sync, watch_for
from watching import crashes

OUTBOX = "outbox"
Act = Callable[[Index, Subscribers], None]


class Postbox(Notifier):
    """Has accepted a mail once its line is in the file and on the disk."""

    name = "postbox"
    summary = "For tests."
    invites = True

    def send(self, delivery: Delivery) -> None:
        assert delivery.subscriber is not None
        news = [[update.kind, update.trial, update.asked] for update in delivery.updates]
        self._write({"to": self.argument, "key": delivery.key, "news": news, "stop": delivery.subscriber.stop})

    def invite(self, invitation: Invitation) -> None:
        self._write({"to": self.argument, "key": invitation.key, "confirm": invitation.confirm})

    def _write(self, mail: dict[str, Any]) -> None:
        crashes.tick("send")
        descriptor = os.open(self.given["file"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(descriptor, json.dumps(mail).encode() + b"\n")
        os.close(descriptor)
        crashes.tick("accepted")


class _Postboxes:
    @hookimpl
    def register_notifiers(self) -> list[type[Notifier]]:
        return [Postbox]


class Campaign:
    """Many rounds in a folder, and the model beside them."""

    def __init__(self, folder: Path, seed: int, kills_an_act: int) -> None:
        self.folder = folder
        self.chance = random.Random(seed)
        self.kills_an_act = kills_an_act
        self.found = Counter(rounds=0, kills=0, unkilled=0, news=0, lost=0, doubled=0, wrong=0, resent=0, uninvited=0)
        self.world = crashes.prepare(folder)
        shared = registry.plugins()
        shared.register(_Postboxes(), "postboxes")
        self.pressed: set[str] = set()
        self.expected: Counter[tuple[str, str, str]] = Counter()
        self.people = 0
        self.moments = 40

    def do(self, act: Act) -> None:
        """Let it happen in processes that are killed, and then in one that comes to its end."""
        for _ in range(self.kills_an_act):
            killed = self._run(act, self.chance.randint(1, self.moments)) is None
            self.found["kills" if killed else "unkilled"] += 1
        code = self._run(act, None)
        assert code == 0, f"an act that nobody kills exits {code}"
        self.moments = max(int((self.folder / "moments").read_text()), 3)

    def _run(self, act: Act, at: int | None) -> int | None:
        """The exit code of a process that acts; ``None`` when it was killed."""
        sys.stdout.flush()
        number = os.fork()
        if not number:
            try:
                self._child(act, at)
            except BaseException:  # noqa: BLE001  the child ends here, whatever it was
                import traceback

                traceback.print_exc()
                os._exit(3)
        _, status = os.waitpid(number, 0)
        return None if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)

    def _child(self, act: Act, at: int | None) -> NoReturn:
        count = 0

        def counting(where: str) -> None:
            nonlocal count
            count += 1
            if at is not None and count == at:
                crashes._kill()

        crashes.tick = counting
        connect = sqlite3.connect

        def traced(*args: Any, **kwargs: Any) -> sqlite3.Connection:
            database: sqlite3.Connection = connect(*args, **kwargs)
            database.set_trace_callback(lambda statement: counting("sql"))
            return database

        with Index.open(self.folder / "index") as index:
            sqlite3.connect = traced  # type: ignore[assignment]
            with Subscribers(self.folder / "index") as subscribers:
                act(index, subscribers)
        (self.folder / "moments").write_text(str(count))
        os._exit(0)

    # --- what happens -------------------------------------------------------------------------------------------------

    def round(self) -> None:
        """A day: some sign up, some press, some leave, the registry changes, and everybody is told."""
        new = [f"person{self.people + number}@example.org" for number in range(self.chance.randint(1, 3))]
        self.people += len(new)
        for address in new:
            self.do(signing_up(address))
        self.do(sending)
        asked = {mail["to"]: mail["confirm"] for mail in self.mails() if "confirm" in mail}
        self.found["uninvited"] += len(set(new) - set(asked))
        for address in new:
            if self.chance.random() < 0.6:
                self.pressed.add(address)
                self.do(pressing(asked[address]))
        for mail in self.mails():
            if "stop" in mail and mail["to"] in self.pressed and self.chance.random() < 0.05:
                self.pressed.discard(mail["to"])
                self.do(leaving(mail["stop"]))
        changed = crashes.change(self.world, self.chance)
        (self.folder / "world.json").write_text(json.dumps(changed))
        self.do(syncing)
        for (watch, kind, trial), number in crashes.expected(self.world, changed).items():
            if watch == 1:
                self.expected += Counter({(address, kind, trial): number for address in self.pressed})
        self.world = changed
        self.found["rounds"] += 1

    def mails(self) -> list[dict[str, Any]]:
        path = self.folder / OUTBOX
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def result(self) -> dict[str, Any]:
        """How what was sent and what is kept compare with the model."""
        told = [mail for mail in self.mails() if "news" in mail]
        once = {mail["key"]: mail for mail in told}
        self.found["resent"] = len(told) - len(once)
        self.found["wrong"] = sum(once[mail["key"]] != mail for mail in told)
        got = Counter((mail["to"], kind, trial) for mail in once.values() for kind, trial, _ in mail["news"])
        self.found["news"] = got.total()
        self.found["lost"] = (self.expected - got).total()
        self.found["doubled"] = (got - self.expected).total()
        with Subscribers(self.folder / "index") as people:
            rows = (people.open(num) for num in range(1, self.people * 4))
            kept = [row.address for row in rows if row]
        assert len(set(kept)) == len(kept)
        return {**self.found, "people": self.people, "pressed": len(self.pressed), "strangers": strangers(kept, self)}


def strangers(kept: list[str], campaign: Campaign) -> int:
    """How many are signed up who did not press or have left, and how many pressed and are not."""
    return len(set(kept) ^ campaign.pressed)


def signing_up(address: str) -> Act:
    return lambda index, people: people.sign_up(address, [watch_for(index, condition="lupus")], "1")


def sending(index: Index, people: Subscribers) -> None:
    send_mails(people)


def pressing(page: str) -> Act:
    def act(index: Index, people: Subscribers) -> None:
        people.confirm(index, page.rpartition("/")[2])

    return act


def leaving(page: str) -> Act:
    return lambda index, people: people.stop(page.rpartition("/")[2])


def syncing(index: Index, people: Subscribers) -> None:
    with Watches(index.folder) as watches:
        assert not sync(index, watches, people).failed


def campaign(folder: Path, rounds: int, seed: int, kills_an_act: int) -> dict[str, Any]:
    """Many rounds with many kills."""
    made = Campaign(folder, seed, kills_an_act)
    number = os.fork()  # whatever starts threads runs in children
    if not number:
        settings = MailSettings(
            notifier="postbox", options={"file": str(folder / OUTBOX)}, key_file=str(folder / "subscribers.key")
        )
        with Subscribers.set_up(folder / "index", settings) as people:
            pages = {page: f"https://x.test/{page}/{{}}" for page in ("confirm", "stop", "manage", "trial")}
            people.set_links(PublicLinks(site="x.test", **pages))
        os._exit(0)
    assert os.waitpid(number, 0)[1] == 0
    for _ in range(rounds):
        made.round()
    return made.result()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=2, help="attempted at each act")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(json.dumps(campaign(given.folder.resolve(), given.rounds, given.seed, given.kills)))


if __name__ == "__main__":
    main()
