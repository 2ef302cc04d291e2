"""Fetching the release files of an ontology."""

from __future__ import annotations

import os
from collections.abc import Callable
from urllib.parse import urljoin

from trialindex.errors import SourceError
from trialindex.plugin.http import HttpError, Pace, PoliteClient
from trialindex_vocabulary.formats import LARGEST
from trialindex_vocabulary.projects import Project

PACE = Pace(retries=2)
"""Somebody waits: it is tried three times, within some seconds."""


def address(given: str | None, project: Project) -> str:
    """Where to download from: what was given, else the environment, else its makers' own address.

    :raises SourceError: it is no web address.
    """
    url = given or os.environ.get(project.variable) or project.url
    if not url.startswith(("http://", "https://")):
        raise SourceError(
            f'"{url}" is no web address.', hint=f"For a file: trialindex vocabulary import {project.name} FILE"
        )
    return url


def beside(url: str, file: str) -> str:
    """The address of a file in the folder of another: ``https://example.org/hp.obo`` → ``…/phenotype.hpoa``."""
    return str(urljoin(url, file))


def fetch(url: str, project: Project, progress: Callable[[int, int | None], None]) -> bytes:
    """What is at *url*, whole.

    :param project: whose it is, for what to do where it cannot be had.
    :param progress: told how many bytes came and how many there are, when known.
    :raises SourceError: the server cannot be reached, refuses, cuts the answer, or answers with far too much.
    """
    try:
        with PoliteClient(PACE, limit=LARGEST) as client:
            answer = client.request("GET", url, progress=progress)
    except HttpError as problem:
        raise SourceError(f"{url} {problem}.", hint=project.get_it) from None
    if answer.status != 200:
        raise SourceError(f"{answer.url} answers {answer.status}.", hint=project.get_it)
    return answer.body
