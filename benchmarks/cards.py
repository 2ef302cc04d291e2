"""How fast real studies are told in plain words, how hard the words are to read, and whether they are right.

    python benchmarks/cards.py ../shared/data/ctgov-v2/studies.jsonl.gz

The measure, the sweep and the check of facts are those of the tests (tests/support/plain_cases.py, plain_facts.py;
docs/plain-language.md says what they count). It needs the development packages.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

from trialindex.plugin.trial_page import PlainLanguage
from trialindex.trial import Trial
from trialindex_writers.plain import PlainWriter
from trialindex_writers.plain_compared import versus
from trialindex_writers.plain_illness import about
from trialindex_writers.plain_people import people
from trialindex_writers.plain_told import in_short, tested

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.plain_cases import all_slips, grade, read, real_trials
from support.plain_facts import Facts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", type=Path, help="studies of the ClinicalTrials.gov API v2, one a line, gzip")
    trials = real_trials(parser.parse_args().studies)
    writer = PlainWriter()
    writer.write(trials[0])  # the glossary is read once
    print(f"load average {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    start = time.perf_counter()
    told = [(trial, writer.write(trial)) for trial in trials]
    seconds = time.perf_counter() - start
    print(f"{len(told)} cards in {seconds:.2f} s, {len(told) / seconds:.0f} a second")
    _grades(told)
    headlines = Counter(plain.headline.text for _, plain in told)
    repeated = {text: count for text, count in headlines.items() if count > 1}
    print(f"headlines: longest {max(map(len, headlines))} characters; repeated {len(repeated)}: {repeated}")
    more = sum(bool(re.search(r"and (?:\d+|one|two) (?:more|others)\b", text)) for text in headlines)
    codes = sum(_bare_code(trial, plain) for trial, plain in told)
    print(f'headlines with "and N more": {more}; with a bare code: {codes}')
    print(f"stock under could lead to, could go wrong: {_stock(told, apart=False):.1%} word for word, ", end="")
    print(f"{_stock(told, apart=True):.1%} with names, illnesses and numbers apart")
    facts = [Facts(trial, plain) for trial, plain in told]
    print(f"facts: {sum(f.checked for f in facts):,} checked, {sum(len(f.wrong) for f in facts)} wrong")
    print(f"slips: {sum(1 for trial, plain in told for _ in all_slips(trial, plain))}")
    print(
        f"headline or summary says that something is not stated: {sum('not stated' in read(p) for _, p in told)} cards"
    )


def _bare_code(trial: Trial, plain: PlainLanguage) -> bool:
    """Whether the headline calls something by a code."""
    return any(one.thing.code and one.name and one.name in plain.headline.text for one in tested(trial))


def _stock(told: list[tuple[Trial, PlainLanguage]], *, apart: bool) -> float:
    """The share of sentences under "could lead to" and "could go wrong" that stand in a twentieth of the pages or more.

    :param apart: names of what is tested and compared, of illnesses and of people, and numbers, count as the same.
    """
    pages = [{_frame(trial, s.text, apart) for s in (*p.could_lead_to, *p.could_go_wrong)} for trial, p in told]
    counts = Counter(text for page in pages for text in page)
    return sum(count for count in counts.values() if count >= len(told) / 20) / sum(counts.values())


def _frame(trial: Trial, text: str, apart: bool) -> str:
    if not apart:
        return text
    illness = about(trial)
    names = [in_short(trial), *versus(trial), *([illness.name] if illness else []), people(trial).many]
    for name in sorted(filter(None, names), key=len, reverse=True):
        text = re.sub(re.escape(name), "…", text, flags=re.IGNORECASE)
    return re.sub(r"\d[\d,]*", "0", text)


def _grades(told: list[tuple[Trial, PlainLanguage]]) -> None:
    import textstat

    grades = sorted(grade(trial, plain) for trial, plain in told)
    heads = [float(textstat.flesch_kincaid_grade(f"{p.headline.text.rstrip('?.')}.")) for _, p in told]
    print(f"headline alone: median {statistics.median(heads):.1f}")
    raw = [float(textstat.flesch_kincaid_grade(read(plain))) for _, plain in told]
    tenths = statistics.quantiles(grades, n=10)
    print(
        f"Flesch–Kincaid grade: median {statistics.median(grades):.1f}, a tenth below {tenths[0]:.1f}, a tenth above "
        f"{tenths[-1]:.1f}, hardest {grades[-1]:.1f}, over 11: {sum(one > 11 for one in grades) / len(grades):.1%}; "
        f"with every name counted as it is: median {statistics.median(raw):.1f}"
    )


if __name__ == "__main__":
    main()
