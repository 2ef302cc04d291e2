"""Fetching the release file of the Disease Ontology."""

from __future__ import annotations

import os
from collections.abc import Callable

from trialindex.errors import SourceError
from trialindex.plugin.http import HttpError, Pace, PoliteClient
from trialindex_vocabulary.formats import GET_IT, LARGEST

URL = "https://raw.githubusercontent.com/DiseaseOntology/HumanDiseaseOntology/main/src/ontology/doid.obo"
"""The current release in the project's own repository, where http://purl.obolibrary.org/obo/doid.obo leads to too."""
URL_VARIABLE = "TRIALINDEX_DOID_URL"
"""Environment variable that names another address, such as a mirror."""
PACE = Pace(retries=2)
"""Somebody waits: it is tried three times, within some seconds."""


def address(given: str | None) -> str:
    """Where to download from: what was given, else the environment, else :data:`URL`.

    :raises SourceError: it is no web address.
    """
    url = given or os.environ.get(URL_VARIABLE) or URL
    if not url.startswith(("http://", "https://")):
        raise SourceError(
            f'"{url}" is no web address.', hint="For a file: trialindex vocabulary import disease-ontology FILE"
        )
    return url


def fetch(url: str, progress: Callable[[int, int | None], None]) -> bytes:
    """What is at *url*, whole.

    :param progress: told how many bytes came and how many there are, when known.
    :raises SourceError: the server cannot be reached, refuses, cuts the answer, or answers with far too much.
    """
    try:
        with PoliteClient(PACE, limit=LARGEST) as client:
            answer = client.request("GET", url, progress=progress)
    except HttpError as problem:
        raise SourceError(f"{url} {problem}.", hint=GET_IT) from None
    if answer.status != 200:
        raise SourceError(f"{answer.url} answers {answer.status}.", hint=GET_IT)
    return answer.body
