"""The registry's XML of old: a record that was written for the purpose, with everything such a file states."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest

from trialindex.plugin.interfaces import IngestContext
from trialindex.trial import Arm, Contact, Intervention, Link, Outcome, Reference, Site, Trial, TrialDate
from trialindex.trial.prepare import prepare
from trialindex_ctgov.files import CtgovFileSource
from trialindex_ctgov.legacy import parse_xml

STUDY = """<?xml version="1.0" encoding="UTF-8"?>
<clinical_study rank="1">
  <id_info><org_study_id>W-1</org_study_id><secondary_id>2009-1</secondary_id><nct_id>NCT00000001</nct_id></id_info>
  <brief_title>Walking after a fracture</brief_title>
  <official_title>A Trial of Walking After a Fracture</official_title>
  <sponsors>
    <lead_sponsor><agency>A hospital</agency><agency_class>Other</agency_class></lead_sponsor>
    <collaborator><agency>A company</agency><agency_class>Industry</agency_class></collaborator>
  </sponsors>
  <source>A hospital</source>
  <brief_summary><textblock>
      People walk &amp;gt; 30 minutes a day.
    </textblock></brief_summary>
  <overall_status>Active, not recruiting</overall_status>
  <start_date>March 2019</start_date>
  <completion_date type="Anticipated">May 17, 2021</completion_date>
  <phase>Phase 2/Phase 3</phase>
  <study_type>Interventional</study_type>
  <has_expanded_access>No</has_expanded_access>
  <study_design_info>
    <allocation>Randomized</allocation><intervention_model>Parallel Assignment</intervention_model>
    <primary_purpose>Treatment</primary_purpose><masking>Single (Outcomes Assessor)</masking>
  </study_design_info>
  <primary_outcome><measure>Steps a day</measure><time_frame>12 weeks</time_frame></primary_outcome>
  <enrollment type="Anticipated">120</enrollment>
  <condition>Fracture</condition><condition>Osteoporosis</condition>
  <arm_group><arm_group_label>Walkers</arm_group_label><arm_group_type>Active Comparator</arm_group_type></arm_group>
  <intervention>
    <intervention_type>Behavioral</intervention_type><intervention_name>Walking</intervention_name>
    <arm_group_label>Walkers</arm_group_label><other_name>Strolling</other_name>
  </intervention>
  <eligibility>
    <criteria><textblock>
        Inclusion Criteria:

          -  Adults who walk

        Exclusion Criteria:

          -  Fever
      </textblock></criteria>
    <gender>All</gender><gender_based>Yes</gender_based>
    <minimum_age>18 Years</minimum_age><maximum_age>N/A</maximum_age>
    <healthy_volunteers>Accepts Healthy Volunteers</healthy_volunteers>
  </eligibility>
  <overall_official><last_name>A Person</last_name><role>Principal Investigator</role></overall_official>
  <overall_contact><last_name>Desk</last_name><phone>555</phone><phone_ext>9</phone_ext></overall_contact>
  <location>
    <facility><name>A clinic</name>
      <address><city>Lyon</city><zip>69000</zip><country>France</country></address></facility>
    <status>Recruiting</status>
  </location>
  <link><url>https://example.org</url><description>In plain words</description></link>
  <results_reference><citation>Somebody. Walking. 2022.</citation><PMID>1</PMID></results_reference>
  <study_first_posted type="Actual">January 5, 2019</study_first_posted>
  <last_update_posted type="Actual">June 1, 2020</last_update_posted>
  <keyword>walking</keyword>
</clinical_study>
"""


def test_what_the_record_states_is_read() -> None:
    problems: list[object] = []
    trial = prepare(parse_xml(STUDY.encode(), "ctgov-file", problems.append))
    assert problems == []
    assert (trial.id, trial.title, trial.other_ids) == ("NCT00000001", "Walking after a fracture", ("W-1", "2009-1"))
    assert trial.url == "https://clinicaltrials.gov/study/NCT00000001"
    assert trial.summary == "People walk > 30 minutes a day."
    assert (trial.status, trial.phases, trial.study_type) == (
        "ACTIVE_NOT_RECRUITING",
        ("PHASE2", "PHASE3"),
        "INTERVENTIONAL",
    )
    assert trial.start_date == TrialDate(date="2019-03")
    assert trial.completion_date == TrialDate(date="2021-05-17", type="ESTIMATED")
    assert trial.last_updated == TrialDate(date="2020-06-01", type="ACTUAL")
    assert (trial.enrollment, trial.enrollment_type, trial.masking) == (120, "ESTIMATED", "SINGLE")
    assert (trial.intervention_model, trial.allocation) == ("PARALLEL", "RANDOMIZED")
    assert trial.conditions == ("Fracture", "Osteoporosis")
    assert trial.arms == (Arm(label="Walkers", type="ACTIVE_COMPARATOR", interventions=("Walking",)),)
    assert trial.interventions == (Intervention(name="Walking", type="BEHAVIORAL", other_names=("Strolling",)),)
    assert trial.outcomes == (Outcome(measure="Steps a day", time_frame="12 weeks"),)
    assert (trial.inclusion, trial.exclusion) == (("Adults who walk",), ("Fever",))
    assert (trial.sex, trial.minimum_age, trial.maximum_age, trial.healthy_volunteers) == ("ALL", 18, None, True)
    assert (trial.gender_based, trial.has_expanded_access, trial.has_results) == (True, False, False)
    assert trial.sites == (
        Site(name="A clinic", city="Lyon", postal_code="69000", country="France", status="RECRUITING"),
    )
    assert trial.contacts == (Contact(name="Desk", phone="555 ext. 9"),)
    assert trial.officials == (Contact(name="A Person", role="Principal Investigator"),)
    assert trial.links == (Link(url="https://example.org", label="In plain words"),)
    assert trial.references == (Reference(citation="Somebody. Walking. 2022.", pmid="1", kind="RESULT"),)
    assert (trial.sponsor, trial.collaborators, trial.organization) == ("A hospital", ("A company",), "A hospital")
    assert trial.raw is not None
    assert trial.raw["clinical_study"]["condition"] == ["Fracture", "Osteoporosis"]


def read(path: Path) -> list[Trial]:
    return list(CtgovFileSource(str(path)).trials(IngestContext()))


def test_files_folders_and_zips_of_it_are_read(tmp_path: Path) -> None:
    (tmp_path / "one.xml").write_text(STUDY, encoding="utf-8")
    assert [trial.id for trial in read(tmp_path / "one.xml")] == ["NCT00000001"]
    (tmp_path / "two.xml.gz").write_bytes(gzip.compress(STUDY.replace("00001<", "00002<").encode()))
    assert [trial.id for trial in read(tmp_path)] == ["NCT00000001", "NCT00000002"]
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("NCT0000xxxx/NCT00000001.xml", STUDY)
        archive.writestr("Contents.txt", "not a study")
    assert [trial.id for trial in read(tmp_path / "all.zip")] == ["NCT00000001"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<html></html>", "not a study of the registry: its XML begins with <html>"),
        ("<clinical_study>", "not valid XML"),
        ("<clinical_study></clinical_study>", "no NCT id"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><clinical_study>&a;</clinical_study>', "definitions of its own"),
        (STUDY.replace("brief_title", "x").replace("official_title", "y"), "NCT00000001: title: missing"),
    ],
)
def test_what_is_no_such_record_says_why(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse_xml(text.encode(), "ctgov-file")
