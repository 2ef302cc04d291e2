"""From the registry to the file, over what is installed: a real socket, the real encoder, the real notifier."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

from support.ctgov_server import CtgovServer, study


def run(url: str, folder: Path, *arguments: str) -> tuple[str, str]:
    """A command in a process of its own that must succeed: stdout and stderr."""
    environment = {**os.environ, "TRIALINDEX_CTGOV_URL": url, "TRIALINDEX_INDEX": str(folder / "index")}
    command = [sys.executable, "-m", "trialindex", *arguments]
    done = subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        stdin=subprocess.DEVNULL,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


def test_from_the_registry_to_the_file(tmp_path: Path, warm_cache: Path) -> None:
    news = tmp_path / "news.jsonl"
    with CtgovServer([study(1), study(2, conditions=["Asthma"])]) as server:

        def trialindex(*arguments: str) -> tuple[str, str]:
            return run(server.url, tmp_path, *arguments)

        trialindex("ingest", "ctgov:lupus nephritis", "--country", "France", "--full")
        trialindex("watch", "add", "NCT00000001")
        trialindex("watch", "add", "--condition", "kidney lupus", "--status", "recruiting")
        trialindex("watch", "add", "--query", "zebra finches", "--level", "0.9")
        trialindex("notify", "add", f"file:{news}")
        server.studies[:] = [
            study(1, status="COMPLETED", updated="2026-03-01"),
            study(2, conditions=["Asthma"]),
            study(3, updated="2026-03-01"),
        ]
        asked = len(server.requests)
        out, err = trialindex("sync")
        assert server.requests[asked + 1].query["query.cond"] == "lupus nephritis"
        assert "AREA[LocationCountry]" in server.requests[asked + 1].query["filter.advanced"]
        assert "AREA[LastUpdatePostDate]" in server.requests[asked + 1].query["filter.advanced"], "not all of it again"
        assert [line.split()[:2] for line in out.splitlines() if line[:1].strip()] == [
            ["new", "NCT00000003"],
            ["changed", "NCT00000001"],
            ["changed", "NCT00000001"],
        ]
        assert "took 1 delivery" in err
        told = [json.loads(line) for line in news.read_text(encoding="utf-8").splitlines()]
        assert [one["trial"] for one in told] == ["NCT00000003", "NCT00000001", "NCT00000001"]
        assert [one["key"] for one in told] == [one["key"] for one in json.loads(trialindex("updates", "--json")[0])]
        assert trialindex("sync", "-q") == ("", "")
        assert len(news.read_text(encoding="utf-8").splitlines()) == 3
        assert "The index is whole: " in trialindex("check")[0]
    assert stat.S_IMODE((tmp_path / "index" / "watches.db").stat().st_mode) == 0o600
