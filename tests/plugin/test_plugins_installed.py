"""Plugins as users meet them: installed, some of them broken, beside commands that must go on working."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.plugin_cases import FAKES, Site


@pytest.fixture
def site(tmp_path: Path, warm_cache: Path) -> Site:
    """A folder on the import path that holds the fakes."""
    found = Site(tmp_path / "site", warm_cache)
    found.install("fakes", FAKES)
    return found


@pytest.fixture(scope="module")
def three_trials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index with EX-0001 to EX-0003, made with the fakes."""
    made = Site(tmp_path_factory.mktemp("three") / "site")
    made.install("fakes", FAKES)
    done = made.ingest(3)
    assert done.code == 0, done.err
    return Path(made.index)


@pytest.fixture
def filled(site: Site, three_trials: Path) -> Site:
    """As :func:`site`, with an index of three trials."""
    shutil.copytree(three_trials, site.index)
    return site


def line_of(output: str, plugin: str) -> str:
    """The line of ``trialindex plugins`` that tells of a plugin, its columns divided by single spaces."""
    [line] = [line for line in output.splitlines() if line.split()[0] == plugin]
    return " ".join(line.split())


# --- what works -------------------------------------------------------------------------------------------------------


def test_plugins_lists_what_each_brings_and_where_it_is_from(site: Site) -> None:
    done = site.run("plugins")
    assert (done.code, done.err) == (0, "")
    assert line_of(done.out, "fakes") == "fakes dist-fakes 1.2 source samples, encoder fake, store brute-force"
    assert line_of(done.out, "faiss").startswith("faiss trialindex ")


def test_a_source_an_encoder_and_a_store_of_a_stranger_do_the_main_job(site: Site) -> None:
    assert "samples" in site.run("ingest", "--help").out
    done = site.ingest()
    assert done.code == 0, done.err
    assert "12 added" in done.out
    done = site.run("query", "broken wrist", "--index", site.index, "--limit", "1", "--mode", "vector")
    assert done.code == 0, done.err
    assert "EX-0005" in done.out
    assert "fake" in site.run("info", "--index", site.index).out


def test_an_index_of_a_plugin_that_is_gone_says_which_one_it_needs(filled: Site) -> None:
    (filled.packages / "dist_fakes-1.2.dist-info" / "entry_points.txt").write_text("", encoding="utf-8")
    done = filled.run("query", "lupus", "--index", filled.index)
    assert done.code == 1
    assert 'unknown store "brute-force"' in done.err
    assert "Traceback" not in done.err


def test_a_command_of_a_plugin_runs_and_is_in_the_help(site: Site) -> None:
    site.install(
        "greeter",
        """
        import click
        from trialindex.plugin.hookspecs import hookimpl

        @hookimpl
        def register_commands(cli):
            @cli.command("greet")
            @click.argument("name")
            def greet(name):
                "Greet somebody."
                click.echo(f"Hello {name}")
        """,
    )
    assert site.run("greet", "Ada").out == "Hello Ada\n"
    assert "Greet somebody." in site.run("--help").out
    assert line_of(site.run("plugins").out, "greeter").endswith("commands")
    assert 'Did you mean "greet"?' in site.run("great", "Ada").err


def test_a_plugin_hears_of_every_update_from_the_command_line(site: Site) -> None:
    site.install(
        "diary",
        """
        from pathlib import Path
        from trialindex.plugin.hookspecs import hookimpl

        @hookimpl
        def index_updated(index, changes):
            with Path("diary.txt").open("a") as file:
                for change in changes:
                    file.write(f"{change.id} {change.kind}\\n")
        """,
    )
    diary = site.root / "diary.txt"
    site.ingest(2)
    assert diary.read_text() == "EX-0001 added\nEX-0002 added\n"
    site.ingest(3)
    site.run("remove", "--yes", "EX-0001", "--index", site.index)
    assert diary.read_text().splitlines()[2:] == ["EX-0003 added", "EX-0001 removed"]
    assert line_of(site.run("plugins").out, "diary").endswith("acts on updates")


# --- what is broken ---------------------------------------------------------------------------------------------------

BROKEN = {
    "ValueError: no good": "raise ValueError('no good')",
    "ModuleNotFoundError: No module named 'torch_of_another_world'": "import torch_of_another_world",
    "SystemExit: 3": "import sys; sys.exit(3)",
    "SyntaxError": "def (:",
    "RuntimeError: two lines": "raise RuntimeError('two\\n  lines')",
    "unknown hook 'register_sorces'": """
        from trialindex.plugin.hookspecs import hookimpl
        @hookimpl
        def register_sorces(): return []
    """,
    "{'chnges'}": """
        from trialindex.plugin.hookspecs import hookimpl
        @hookimpl
        def index_updated(index, chnges): ...
    """,
}


@pytest.mark.parametrize("why", BROKEN)
def test_a_broken_plugin_is_named_and_everything_else_works(filled: Site, why: str) -> None:
    filled.install("broken", BROKEN[why])
    done = filled.run("plugins")
    assert done.code == 0
    assert line_of(done.out, "broken").startswith("broken dist-broken 1.2 does not work: ")
    assert why in line_of(done.out, "broken")
    assert line_of(done.out, "fakes").endswith("store brute-force")
    done = filled.run("query", "wrist", "--anyway", "--index", filled.index)
    assert done.code == 0
    assert "EX-0001" in done.out
    [said] = done.err.splitlines()
    assert said.startswith('trialindex: the plugin "broken" of dist-broken does not work and is left out: ')
    assert why in said


def test_help_works_beside_a_broken_plugin(site: Site) -> None:
    site.install("broken", "raise SystemExit")
    for arguments in (["--help"], ["query", "--help"], ["ingest", "--help"], ["ingest", "csv", "--help"]):
        done = site.run(*arguments)
        assert done.code == 0
        assert "Usage" in done.out
        assert "Traceback" not in done.err


def test_a_plugin_that_lost_its_metadata_is_listed_as_unknown(site: Site) -> None:
    site.install("orphan", "", metadata=False)
    done = site.run("plugins")
    assert done.code == 0, done.err
    assert line_of(done.out, "orphan") == "orphan unknown nothing"


def test_a_plugin_with_the_name_of_another_is_left_out_and_both_are_named(site: Site) -> None:
    site.install("second", "raise AssertionError('not reached')", plugin="other")
    site.install("third", "", plugin="fakes")
    done = site.run("plugins")
    assert done.code == 0
    both = [line for line in done.out.splitlines() if line.startswith("fakes ")]
    assert len(both) == 2
    [refused] = [" ".join(line.split()) for line in both if "does not work" in line]
    assert "its name is that of the plugin" in refused
    assert "dist-third" in refused
    assert "dist-fakes" in refused


COLLIDING = """
    from trialindex import Renderer
    from trialindex.plugin.hookspecs import hookimpl

    class Table(Renderer):
        name, summary = "table", "Another table."
        def results(self, results): yield ""
        def trial(self, card): yield ""
        def trials(self, trials): yield ""

    @hookimpl
    def register_renderers(): return [Table]
"""


def test_two_plugins_with_one_format_are_both_named_and_can_be_listed(filled: Site) -> None:
    filled.install("wood", COLLIDING)
    done = filled.run("query", "lupus", "--index", filled.index)
    assert done.code == 1
    assert done.err == (
        'trialindex: the plugins "renderers" of trialindex and "wood" of dist-wood both provide the format "table". '
        "Uninstall one of them.\n"
    )
    done = filled.run("plugins")
    assert done.code == 1
    assert '"wood" of dist-wood' in done.err
    assert line_of(done.out, "fakes").endswith("store brute-force")
    assert filled.run("info", "--index", filled.index).code == 0


def test_a_command_with_the_name_of_a_built_in_one_does_not_replace_it(filled: Site) -> None:
    filled.install(
        "taker",
        """
        from trialindex.plugin.hookspecs import hookimpl

        @hookimpl
        def register_commands(cli):
            @cli.command("info")
            def info(): raise SystemExit("taken")
        """,
    )
    done = filled.run("info", "--index", filled.index)
    assert done.code == 0
    assert "brute-force" in done.out
    done = filled.run("--help")
    assert done.code == 0
    assert 'the plugin "taker" of dist-taker does not work' in done.err
    assert 'there is a command "info" already' in done.err


FAILING = """
    from trialindex import Renderer, Source
    from trialindex.plugin.hookspecs import hookimpl

    class Clumsy(Renderer):
        name, summary = "clumsy", "Fails half-way."
        def results(self, results):
            yield "one\\n"
            raise KeyError("two")
        def trial(self, card): return None
        def trials(self, trials): yield from self.results(trials)

    class Forgetful(Source):
        name, summary = "forgetful", "Fails half-way."
        def __init__(self, argument="", **options):
            super().__init__(argument)
            self.given["key"]
        def trials(self, context): yield

    class Torn(Source):
        name, summary = "torn", "Fails half-way."
        def trials(self, context):
            from trialindex import Trial
            yield Trial(id="TORN-1", title="A trial before the end", source=self.name)
            raise OSError("the line is cut")

    @hookimpl
    def register_renderers(): return [Clumsy]

    @hookimpl
    def register_sources(): return [Forgetful, Torn]

    @hookimpl
    def index_updated(index, changes): raise RuntimeError("no mail server")
"""


def test_what_fails_in_its_work_ends_in_one_line(site: Site) -> None:
    site.install("failing", FAILING)
    done = site.ingest(3)
    assert done.code == 0
    note = 'the plugin "failing" failed after the update, which is kept: RuntimeError: no mail server.'
    assert done.err == f"trialindex: {note}\n"

    index = ("--index", site.index)
    for arguments in (["query", "wrist", "--anyway", *index], ["list", *index], ["show", "EX-0001", *index]):
        done = site.run(*arguments, "--format", "clumsy")
        assert done.code == 1
        assert len(done.err.splitlines()) == 1
        assert "the output format failed: " in done.err

    done = site.run("query", "wrist", "--anyway", *index, "--format", "clumsy", "--output", "answer.txt")
    assert done.code == 1
    assert not (site.root / "answer.txt").exists()

    done = site.run("ingest", "forgetful", *index)
    assert done.code == 1
    assert done.err == (
        "trialindex: the source \"forgetful\" failed: KeyError: 'key'. Update it, or report it to its author.\n"
    )

    done = site.run("ingest", "torn", *index)
    assert done.code == 1
    assert 'the source "torn" failed: OSError: the line is cut.' in done.err
    assert "Traceback" not in done.err
    assert "A trial before the end" in site.run("list", *index).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("ingest smaples", 'unknown source "smaples". Did you mean "samples"? Allowed: aact, csv, ctgov, ctgov-file, '),
        ("query x --format tabel", 'unknown format "tabel". Did you mean "table"? Allowed: '),
        ("ingest samples --encoder fakes --index new", 'unknown encoder "fakes". Did you mean "fake"? Allowed: '),
        ("ingest samples --store fais --index new", 'unknown store "fais". Did you mean "faiss"? Allowed: '),
    ],
)
def test_an_unknown_plugin_is_refused_with_what_there_is(site: Site, arguments: str, message: str) -> None:
    done = site.run(*arguments.split())
    assert done.code == 1
    assert done.err.startswith(f"trialindex: {message}")
    assert len(done.err.splitlines()) == 1
    assert not (site.root / "new").exists()


# --- what it costs ----------------------------------------------------------------------------------------------------

HEAVY = "faiss httpx2 ijson jinja2 numpy onnxruntime rich sentence_transformers tantivy tokenizers torch yaml"
LOADED = f"""
import sys
from trialindex.plugin.registry import Plugins
found = Plugins()
print("trialindex.index" in sys.modules)
for registry in found.registries:
    registry.names()
print(set("{HEAVY}".split()) & set(sys.modules))
"""


def test_finding_the_built_in_plugins_and_their_classes_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, encoding="utf-8", timeout=280)
    assert (done.stdout, done.stderr) == ("False\nset()\n", "")
