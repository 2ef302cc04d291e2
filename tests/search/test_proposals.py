"""What a reader proposes is searched for and said, never as a diagnosis, and leaves the text's own words alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from support.helpers import ListSource
from support.plugin_cases import plugin
from trialindex.cli import cli
from trialindex.errors import PluginError, ReaderError
from trialindex.index import Index
from trialindex.plugin.interfaces import Concept, Reader, RenderOptions, Vocabulary
from trialindex.plugin.proposals import Proposal, describe_proposals
from trialindex.plugin.registry import Plugins, plugins
from trialindex.plugin.terms import Terms
from trialindex.search.analysis import describe_concept
from trialindex.search.proposals import Proposed
from trialindex.search.settings import RankingSettings
from trialindex.testing import FakeEncoder, FakeReader, check_reader
from trialindex.trial import Trial
from trialindex_readers.rules import RulesReader

SHORT = "trembling hands and a shuffling walk"
NOTE = " ".join(["He walks with small steps, his hand trembles while it rests, and his face hardly moves."] * 8)


class ReplacingReader(FakeReader):
    """One that proposes what the text names too."""

    replaces = True


class Answering(Reader):
    """Does what a test tells it to."""

    name = "answering"
    summary = "For tests."

    def __init__(self, answer: Callable[[str], Any], receiver: str = "") -> None:
        super().__init__()
        self._answer, self.receiver = answer, receiver

    def propose(self, text: str, terms: Terms) -> list[Proposal]:
        return self._answer(text)  # type: ignore[no-any-return]


def failing(text: str) -> Any:
    raise ReaderError("the model is asleep.", hint="Wake it.")


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index.create(tmp_path_factory.mktemp("proposals") / "index", encoder=FakeEncoder()) as made:
        made.ingest(
            ListSource(
                Trial(id="PARKINSON", title="Levodopa against placebo", conditions=("Parkinson Disease",)),
                Trial(id="WALK", title="A shuffling walk and how shoes change it", conditions=("Gait",)),
                Trial(id="GOUT", title="Allopurinol and diet", conditions=("Gout",)),
                *(
                    Trial(id=f"OTHER-{n}", title=f"A study of sleep number {n}", conditions=("Sleep",))
                    for n in range(9)
                ),
            )
        )
        yield made


def found_by_name(index: Index, text: str, reader: str | Reader | None, **options: Any) -> set[str]:
    """The trials whose names have something that is searched for by its name."""
    return {
        hit.trial.id
        for hit in index.query(text, reader=reader, anyway=True, **options).hits
        if hit.parts.get("concepts", 0) > 0
    }


# --- what is found ----------------------------------------------------------------------------------------------------


def test_what_is_proposed_is_searched_for_by_any_name_that_vocabularies_have(index: Index) -> None:
    for text in (SHORT, NOTE):
        assert "PARKINSON" not in found_by_name(index, text, None)
        assert "PARKINSON" in found_by_name(index, text, FakeReader("Parkinson's disease")), text


def test_trials_of_what_is_proposed_go_up(index: Index) -> None:
    def place(reader: Reader | None) -> int:
        hits = index.query(NOTE, reader=reader, limit=50, anyway=True).hits
        return next((hit.rank for hit in hits if hit.trial.id == "PARKINSON"), 99)

    assert place(FakeReader("Parkinson's disease")) < place(None)


def test_a_name_that_no_vocabulary_knows_is_searched_for_by_its_words(index: Index) -> None:
    assert found_by_name(index, NOTE, FakeReader("allopurinol diet")) == {"GOUT"}


def test_in_a_question_the_proposals_stand_beside_its_own_words_and_in_a_note_in_their_place(index: Index) -> None:
    reader = ReplacingReader("Parkinson's disease")
    assert found_by_name(index, "gout", reader) == {"GOUT", "PARKINSON"}
    note = " ".join(["His gout is back in the left foot, and gout it is."] * 12)
    assert "GOUT" in found_by_name(index, note, None)
    assert "GOUT" not in found_by_name(index, note, reader)
    assert "GOUT" in found_by_name(index, note, reader, ranking=RankingSettings(own_share=1.0))
    assert "GOUT" in found_by_name(index, note, ReplacingReader("")), "of nothing that is proposed nothing is replaced"


def test_beside_the_proposals_of_other_readers_a_notes_own_words_stay(index: Index) -> None:
    note = " ".join(["His gout is back in the left foot, and gout it is."] * 12)
    kept = RankingSettings(least_proposal=0.0)  # however little the fake encoder takes it to be like the note
    assert found_by_name(index, note, FakeReader("Parkinson's disease"), ranking=kept) >= {"GOUT", "PARKINSON"}


def test_only_so_many_are_searched_for_as_the_settings_say(index: Index) -> None:
    found = index.query(NOTE, reader=FakeReader("Parkinson's disease, Gout"), ranking=RankingSettings(proposals=1))
    assert [one.condition for one in found.proposals] == ["Parkinson's disease"]


def test_as_written_and_the_plain_modes_ask_no_reader(index: Index) -> None:
    reader = FakeReader("Parkinson's disease")
    for options in ({"as_written": True}, {"mode": "vector"}, {"mode": "lexical"}):
        found = index.query(SHORT, reader=reader, **options)
        assert (found.reader, found.proposals) == ("", ())
    assert reader.read == []
    index.query(SHORT, reader=reader)
    assert reader.read == [SHORT]


# --- what is said ---------------------------------------------------------------------------------------------------


def test_they_are_said_with_what_speaks_for_them_and_not_as_what_the_person_has(index: Index) -> None:
    reader = Answering(lambda text: [Proposal("Parkinson's disease", ("tremor at rest", "shuffling gait"), 0.8)])
    found = index.query(SHORT, reader=reader, explain=True)
    [note] = [note for note in found.notes if "Also searched" in note]
    assert note.startswith("Also searched: Parkinson's disease (tremor at rest, shuffling gait).")
    assert "no diagnosis" in note
    assert "--as-written" in note
    assert found.reader == "answering"
    assert found.understood is not None
    assert "Parkinson" not in str(found.understood)
    assert "Parkinson" not in found.subject


@pytest.mark.parametrize("name", ["table", "markdown", "html", "json", "jsonl", "csv"])
def test_every_format_shows_them(index: Index, name: str) -> None:
    found = index.query(NOTE, reader=FakeReader("Kalahari fever"))
    drawn = "".join(plugins().renderers.get(name)(RenderOptions()).results(found))
    assert "Kalahari fever" in " ".join(drawn.split())


def test_names_that_could_steer_a_terminal_are_shown_harmless() -> None:
    said = describe_proposals([Proposal("red\x1b[31m\nflag" + "x" * 500, ("a\u202eb",))])
    assert "\x1b" not in said
    assert "\n" not in said
    assert "\u202e" not in said
    assert len(said) < 250
    assert describe_proposals([]) == ""


def test_who_was_sent_the_text_is_said(index: Index) -> None:
    notes = index.query(SHORT, reader=Answering(lambda text: [], "model.example:443")).notes
    assert "Your text was sent to model.example:443." in notes
    assert not any("sent" in note for note in index.query(SHORT).notes)


# --- readers that fail ----------------------------------------------------------------------------------------------


def test_a_reader_that_cannot_tell_is_replaced_by_the_rules_and_that_is_said(index: Index) -> None:
    found = index.query(SHORT, reader=Answering(failing))
    assert found.reader == "rules"
    assert "the model is asleep. Wake it. So the reader rules was asked instead." in found.notes
    assert [hit.trial.id for hit in found.hits] == [hit.trial.id for hit in index.query(SHORT).hits]


@pytest.mark.parametrize(
    "answer",
    [["lupus"], [Proposal("  ")], [Proposal("gout", weight=0.0)], [Proposal("gout", weight=float("nan"))], None],
)
def test_a_reader_that_breaks_its_contract_is_named(index: Index, answer: Any) -> None:
    with pytest.raises(PluginError, match='the reader "answering"'):
        index.query(SHORT, reader=Answering(lambda text: answer))


def test_an_index_whose_plugins_have_no_reader_asks_none(tmp_path: Path) -> None:
    with Index.create(tmp_path / "bare", encoder=FakeEncoder(), plugins=bare()) as made:
        made.ingest(ListSource(Trial(id="GOUT", title="Allopurinol", conditions=("Gout",))))
        assert made.query("gout").reader == ""
        with pytest.raises(PluginError, match='unknown reader "wizard"'):
            made.query("gout", reader="wizard")


def test_a_reader_knows_the_names_of_the_vocabularies_of_the_index(tmp_path: Path) -> None:
    text = "kalahari fever with a tremor at rest and a shuffling gait"

    class Local(Vocabulary):
        name, summary, version = "local", "One illness that no other vocabulary has.", "1"

        def concepts(self) -> Iterator[Concept]:
            yield Concept("kalahari fever", (), "X:1", "disease")

    for vocabularies, proposed in (([], True), ([Local], False)):
        found = bare()
        found.register(plugin(register_vocabularies=lambda listed=vocabularies: listed), "local")
        with Index.create(tmp_path / f"{proposed}", encoder=FakeEncoder(), plugins=found) as made:
            made.ingest(ListSource(Trial(id="GOUT", title="Allopurinol", conditions=("Gout",))))
            assert bool(made.query(text, reader=RulesReader(), anyway=True).proposals) == proposed


def bare() -> Plugins:
    found = Plugins(discover=False)
    found.register(plugin(register_encoders=lambda: [FakeEncoder]), "fakes")
    import trialindex_faiss

    found.register(trialindex_faiss, "faiss")
    return found


def test_the_default_reader_keeps_the_contract() -> None:
    check_reader(RulesReader())


@pytest.mark.parametrize(
    "proposals",
    [
        [Proposal("a", weight=0.5), Proposal("b", weight=1.0)],
        [Proposal("a"), Proposal("A")],
        [Proposal("a\nb")],
        [Proposal("a" * 200)],
        [Proposal("a", weight=2.0)],
    ],
)
def test_the_check_of_readers_finds_what_breaks_the_contract(proposals: list[Proposal]) -> None:
    with pytest.raises(AssertionError):
        check_reader(Answering(lambda text: proposals))


# --- the command line -----------------------------------------------------------------------------------------------


def test_the_command_line_names_the_reader(index: Index) -> None:
    asked = CliRunner().invoke(cli, ["query", SHORT, "--reader", "wizard", "--index", str(index.folder)])
    assert asked.exit_code == 1
    assert 'unknown reader "wizard"' in str(asked.exception)


def test_what_a_note_names_itself_is_not_told_as_searched_besides(index: Index) -> None:
    text = "asthma " + "and so on " * 20
    answer = index.query(text, reader=FakeReader("asthma, gout"), limit=3)
    assert [one.condition for one in answer.proposals] == ["gout"]
    assert not any("asthma" in note for note in answer.notes)


# --- how they are weighed -------------------------------------------------------------------------------------------


def proposed(weights: dict[str, float], *, replaces: bool = False) -> Proposed:
    proposals = tuple(Proposal(name, weight=weight) for name, weight in weights.items())
    concepts = tuple(describe_concept(one.condition, [], 6, weight=one.weight) for one in proposals)
    return Proposed("fake", proposals, concepts, replaces)


def test_what_is_like_the_text_as_a_whole_comes_first_and_what_is_little_like_it_goes() -> None:
    asked = proposed({"gout": 1.0, "asthma": 0.9, "parkinson disease": 0.8})
    found = asked.weigh([0.1, 0.4, 0.38], 1.0, RankingSettings(proposal_temperature=0.1, least_proposal=0.2))
    assert [one.condition for one in found.proposals] == ["asthma", "parkinson disease"]
    assert [one.name for one in found.concepts] == ["asthma", "parkinson disease"]
    assert found.proposals[0].weight == found.concepts[0].weight == 1.0
    assert found.concepts[1].weight == pytest.approx(0.8 / 0.9 * math.exp(-0.2))


def test_where_a_note_is_more_like_what_it_names_all_that_is_proposed_counts_less() -> None:
    settings, note = RankingSettings(temperature=0.1), "word " * 200
    assert settings.share_of_proposals(note, 0.1) == pytest.approx(math.exp(-1))
    assert settings.share_of_proposals(note, -0.1) == 1.0
    assert settings.share_of_proposals("a tremor at rest and a shuffling gait", 0.5) == 1.0
    [one, other] = proposed({"gout": 1.0, "asthma": 1.0}).weigh([0.3, 0.3], 0.4, settings).concepts
    assert one.weight == other.weight == 0.4
    assert not proposed({"gout": 1.0}).weigh([0.3], 0.05, settings).proposals
    assert settings.share_of_own(note, strongest=0.5, replaced=False) == pytest.approx(1 - 0.5 * 0.7)
    assert settings.share_of_own(note, strongest=0.0, replaced=False) == 1.0


def test_so_many_are_left_beside_what_a_text_names() -> None:
    asked = proposed({f"illness {number}": 1.0 for number in range(8)})
    assert len(asked.weigh([0.3] * 8, 1.0, RankingSettings()).proposals) == RankingSettings().proposals_beside


def test_what_takes_the_place_of_what_a_text_names_stays_as_it_was_proposed() -> None:
    asked = proposed({"gout": 1.0, "asthma": 0.5}, replaces=True)
    assert asked.weigh([0.1, 0.9], 0.5, RankingSettings()) is asked
    assert proposed({}).weigh([], 1.0, RankingSettings()).proposals == ()
