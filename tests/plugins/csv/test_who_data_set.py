"""The data set that registries send to the WHO, as XML: one parser for ReBEC, REPEC, ChiCTR and the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.csv_cases import read
from support.paths import SHARED
from trialindex.errors import SourceError
from trialindex.trial import Outcome, Site
from trialindex.trial.prepare import prepare

TRIAL = """
<trial><main>
<trial_id>RBR-1aaaa1</trial_id><utrn>U1111-1111-1111</utrn><reg_name>REBEC</reg_name>
<date_registration>02/03/2011</date_registration><primary_sponsor>A hospital</primary_sponsor>
<public_title>Walking
   after a fracture</public_title><acronym/><scientific_title>Gait &amp; fracture</scientific_title>
<date_enrolment>25/02/2011</date_enrolment><target_size>Walking:30;Rest:30;</target_size>
<recruitment_status>recruiting</recruitment_status><url>https://example.org/1</url><study_type>interventional</study_type>
<study_design>Randomized.</study_design><phase>2-3</phase>
<hc_freetext>Condition 1: Fracture.
-Pain</hc_freetext><i_freetext>Intervention 1: Walking.
Intervention 2: Rest.</i_freetext></main>
<contacts><contact><type>public</type><firstname>Robin</firstname><email>robin@exemplar.test</email></contact></contacts>
<countries><country2>Brazil</country2><country2>Peru</country2></countries>
<criteria><inclusion_criteria>A fracture
Walked before</inclusion_criteria><agemin>18Y</agemin><agemax>0</agemax><gender>F</gender>
<exclusion_criteria>- Gout&#xD;
- Pain</exclusion_criteria></criteria>
<health_condition_keyword><hc_keyword>S72.0</hc_keyword><hc_keyword>Hip</hc_keyword></health_condition_keyword>
<primary_outcome><prim_outcome>Steps a day; at 12 weeks</prim_outcome><prim_outcome>Pain</prim_outcome>
</primary_outcome>
<secondary_sponsor><sponsor_name>A company</sponsor_name></secondary_sponsor>
<secondary_ids><secondary_id><sec_id>NCT00000001</sec_id><issuing_authority>ClinicalTrials.gov</issuing_authority>
</secondary_id><secondary_id><sec_id>N.A.</sec_id></secondary_id></secondary_ids>
</trial>"""


def test_a_trial_of_the_data_set(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    path.write_text(f'<?xml version="1.0"?><!DOCTYPE trials SYSTEM "who_ictrp.dtd"><trials>{TRIAL}</trials>', "utf-8")
    run = read(path)
    assert (run.rejected, run.dropped) == ([], [])
    trial = prepare(run.trials[0])
    assert (trial.id, trial.title, trial.official_title) == (
        "RBR-1aaaa1",
        "Walking after a fracture",
        "Gait & fracture",
    )
    assert trial.other_ids == ("NCT00000001", "U1111-1111-1111")
    assert (trial.conditions, trial.keywords) == (("Fracture", "Pain"), ("Hip",))
    assert [one.name for one in trial.interventions] == ["Walking", "Rest"]
    assert trial.sites == (Site(country="Brazil"), Site(country="Peru"))
    assert (trial.inclusion, trial.exclusion) == (("A fracture", "Walked before"), ("Gout", "Pain"))
    assert (trial.minimum_age, trial.maximum_age, trial.sex, trial.enrollment) == (18, None, "FEMALE", 60)
    assert trial.outcomes == (Outcome(measure="Steps a day; at 12 weeks"), Outcome(measure="Pain"))
    assert (trial.phases, trial.sponsor, trial.collaborators) == (("PHASE2", "PHASE3"), "A hospital", ("A company",))
    assert trial.first_posted
    assert trial.start_date
    assert (trial.first_posted.date, trial.start_date.date) == ("2011-03-02", "2011-02-25")
    assert "Robin" not in str(trial.raw)


def test_odd_forms_of_it(tmp_path: Path) -> None:
    path = tmp_path / "x.xml"
    odd = TRIAL.replace("trial>", "Triall>").replace("Walking\n   after a fracture", "N.A.")
    path.write_text(f"<trials>{odd}</trials>", "utf-8")
    assert read(path).trials[0].title == "Gait & fracture"
    latin = TRIAL.replace("A hospital", "Hospital São João")
    path.write_bytes(f"<?xml version='1.0' encoding='ISO-8859-1'?><trials>{latin}</trials>".encode("latin-1"))
    assert read(path).trials[0].sponsor == "Hospital São João"
    path.write_bytes(f'<?xml version="1.0" encoding="UTF-8"?><trials>{latin}</trials>'.encode("latin-1"))
    run = read(path)
    assert run.trials[0].sponsor == "Hospital São João"
    assert read(path, encoding="cp1250").trials[0].sponsor == "Hospital Săo Joăo"
    with pytest.raises(SourceError, match='"nonsense" is not an encoding'):
        read(path, encoding="nonsense")
    assert f"{path} is read as cp1252; if letters look wrong, say --encoding." in run.notes


@pytest.mark.parametrize("special", ['<!DOCTYPE a [<!ENTITY x "y">]>', "<!DOCTYPE a [\n]>"])
def test_definitions_of_its_own_are_not_read(tmp_path: Path, special: str) -> None:
    (tmp_path / "x.xml").write_text(f"{special}<trials>{TRIAL}</trials>", "utf-8")
    with pytest.raises(SourceError, match="definitions of its own"):
        read(tmp_path / "x.xml")


REAL = sorted((SHARED / "registries").glob("*/whoxml/**/*.xml.gz"))


@pytest.mark.skipif(not REAL, reason="the shared data are not here")
def test_every_real_trial_is_kept() -> None:
    runs = [read(path) for path in REAL]
    assert [(len(run.trials), run.rejected) for run in runs] == [(n, []) for n in (1, 5, 3, 45, 1, 1)]
    assert all(trial.conditions and trial.sites and trial.sponsor for run in runs for trial in run.trials)
