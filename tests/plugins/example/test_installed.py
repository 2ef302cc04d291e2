"""plugins/example as its author would ship it: built, installed beside trialindex, and used from the command line."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT
from support.plugin_cases import Done, Site

EXAMPLE = ROOT / "plugins" / "example"
STUDIES = str(EXAMPLE / "tests" / "studies.txt")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, sample_cache: Path) -> Site:
    """A folder on the import path into which pip installed the example, from a copy of its folder alone."""
    pytest.importorskip("hatchling", reason="pip builds the example with it; it comes with trialindex[dev]")
    home = tmp_path_factory.mktemp("example")
    copy = shutil.copytree(EXAMPLE, home / "copy", ignore=shutil.ignore_patterns("__pycache__", "dist", ".*"))
    site = Site(home / "site", sample_cache)
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation", "--no-index"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, "--target", str(site.packages), str(copy)],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return site


@pytest.fixture(scope="module")
def ingested(installed: Site) -> Done:
    """The first ingest of the example's own studies, with the encoder and the store that everyone has."""
    return installed.run("ingest", f"noticeboard:{STUDIES}", "--index", installed.index)


def test_only_the_package_is_installed(installed: Site) -> None:
    found = {path.name for path in installed.packages.iterdir()}
    assert found == {"trialindex_example", "trialindex_example-0.1.0.dist-info"}
    assert (installed.packages / "trialindex_example" / "py.typed").exists()


def test_trialindex_lists_it_with_what_it_brings(installed: Site) -> None:
    done = installed.run("plugins")
    assert (done.code, done.err) == (0, "")
    [line] = [line for line in done.out.splitlines() if line.startswith("example ")]
    assert line.split() == ["example", "trialindex-example", "0.1.0", "source", "noticeboard,", "format", "email"]


def test_its_source_is_in_the_help_with_its_options(installed: Site) -> None:
    assert "noticeboard" in installed.run("ingest", "--help").out
    done = installed.run("ingest", "noticeboard", "--help")
    assert "--recruiting" in done.out
    assert "NB-014" in done.out


def test_ingest_takes_in_what_is_right_and_says_what_is_not(ingested: Done) -> None:
    assert ingested.code == 0, ingested.err
    assert "2 added, 2 skipped" in ingested.out
    assert "skipped line 26: id: missing" in ingested.err
    assert 'skipped line 29: "colour" is not a label.' in ingested.err


def test_a_question_is_answered_in_its_format(installed: Site, ingested: Done) -> None:
    done = installed.run(
        *("query", "always tired since my new kidney", "--age", "40", "--format", "email", "--index", installed.index)
    )
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == 'Trials for "always tired since my new kidney"'
    assert "1. Guided walks after a kidney transplant" in lines
    assert "Fit: age fits (40 years; trial: from 18 to 70 years)" in lines
    assert "Where: City Hospital, Lyon, France" in lines
    assert "555 0123" not in done.out


def test_show_and_list_take_its_format_too(installed: Site, ingested: Done) -> None:
    shown = installed.run("show", "NB-014", "-f", "email", "--contacts", "--index", installed.index)
    assert "- Ana Example, +00 555 0123, walks@hospital.example" in shown.out.splitlines()
    listed = installed.run("list", "-f", "email", "--index", installed.index)
    assert listed.out.count("- ") == 2


def test_the_second_run_reads_nothing_and_says_so(installed: Site, ingested: Done) -> None:
    again = installed.run("ingest", f"noticeboard:{STUDIES}", "--index", installed.index)
    assert again.code == 0
    assert "nothing new" in again.out
    assert "has not changed since the last run; --full reads it all the same." in again.err
    full = installed.run("ingest", f"noticeboard:{STUDIES}", "--full", "--index", installed.index)
    assert "2 unchanged" in full.out


def test_a_file_that_is_not_there_is_one_line(installed: Site) -> None:
    done = installed.run("ingest", "noticeboard:nowhere.txt", "--index", "unused")
    assert done.code == 1
    assert done.err == "trialindex: nowhere.txt cannot be read: No such file or directory.\n"
    assert not (installed.root / "unused").exists()


def test_its_own_tests_pass_as_its_author_runs_them(installed: Site, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "tests")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
        cwd=tmp_path,
        env=installed.environment,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
