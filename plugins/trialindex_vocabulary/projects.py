"""The ontologies that can be fetched: who makes each, where its release is, and what of it is read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Project:
    """An ontology as its makers publish it.

    :param name: of the vocabulary, as it is typed.
    :param title: what its makers call it.
    :param kind: of its concepts; see :class:`~trialindex.plugin.interfaces.Concept`.
    :param url: the current release.
    :param variable: environment variable that names another address, such as a mirror.
    :param home: where a person finds it.
    :param licence: what it says of itself, in a sentence.
    :param root: the id of the term below which all that is read stands; empty for all terms.
    :param annotations: name of the file beside the ontology that tells which illnesses have which of its terms.
    """

    name: str
    title: str
    kind: str
    url: str
    variable: str
    home: str
    licence: str
    root: str = ""
    annotations: str = ""

    @property
    def file(self) -> str:
        """The name of the release file: ``doid.obo``."""
        return self.url.rpartition("/")[2]

    @property
    def download(self) -> str:
        """What to type to fetch it."""
        return f"trialindex vocabulary download {self.name}"

    @property
    def get_it(self) -> str:
        """What to do where it cannot be fetched."""
        files = f"{self.file} and {self.annotations}" if self.annotations else self.file
        typed = f"{self.name} FILE{' ANNOTATIONS' if self.annotations else ''}"
        return f"Get {files} from {self.home}, then type: trialindex vocabulary import {typed}"


DISEASES = Project(
    name="disease-ontology",
    title="Disease Ontology",
    kind="disease",
    url="https://raw.githubusercontent.com/DiseaseOntology/HumanDiseaseOntology/main/src/ontology/doid.obo",
    variable="TRIALINDEX_DOID_URL",
    home="https://disease-ontology.org",
    licence="The Disease Ontology is in the public domain (CC0 1.0).",
)
"""Its address is where http://purl.obolibrary.org/obo/doid.obo leads to too."""
PHENOTYPES = Project(
    name="phenotype-ontology",
    title="Human Phenotype Ontology",
    kind="finding",
    url="https://github.com/obophenotype/human-phenotype-ontology/releases/latest/download/hp.obo",
    variable="TRIALINDEX_HPO_URL",
    home="https://hpo.jax.org",
    licence="The Human Phenotype Ontology has a licence of its own: https://hpo.jax.org/license. It stays unchanged on "
    "your machine, and is in no index or archive.",
    root="HP:0000118",
    annotations="phenotype.hpoa",
)
"""Only what stands below *Phenotypic abnormality* is read: no inheritance, no onset, no modifiers."""
PROJECTS = {one.name: one for one in (DISEASES, PHENOTYPES)}
