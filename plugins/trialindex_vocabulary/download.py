"""Fetching the release file of the Disease Ontology."""

from __future__ import annotations

import os
from collections.abc import Callable

from trialindex.errors import SourceError
from trialindex_vocabulary.formats import GET_IT, LARGEST

URL = "https://raw.githubusercontent.com/DiseaseOntology/HumanDiseaseOntology/main/src/ontology/doid.obo"
"""The current release in the project's own repository, where http://purl.obolibrary.org/obo/doid.obo leads to too."""
URL_VARIABLE = "TRIALINDEX_DOID_URL"
"""Environment variable that names another address, such as a mirror."""
_TIMEOUT = 60.0
"""Seconds for an answer to begin, or to go on."""


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
    import httpx2

    data = bytearray()
    try:
        with (
            httpx2.Client(follow_redirects=True, timeout=httpx2.Timeout(_TIMEOUT, connect=20.0)) as client,
            client.stream("GET", url, headers={"User-Agent": "trialindex"}) as answer,
        ):
            if url.startswith("https:") and answer.url.scheme != "https":
                raise SourceError(f"{url} leads to an address that is not encrypted: {answer.url}.", hint=GET_IT)
            if answer.status_code != 200:
                raise SourceError(f"{answer.url} answers {answer.status_code} {answer.reason_phrase}.", hint=GET_IT)
            stated = answer.headers.get("Content-Length", "")
            total = int(stated) if stated.isdecimal() else None
            for part in answer.iter_bytes():
                data += part
                if len(data) > LARGEST:
                    raise SourceError(
                        f"{answer.url} sends more than {LARGEST >> 20} MB, which the Disease Ontology is not.",
                        hint=GET_IT,
                    )
                progress(answer.num_bytes_downloaded, total)
    except httpx2.TimeoutException:
        raise SourceError(f"{url} did not answer within {_TIMEOUT:.0f} s.", hint=GET_IT) from None
    except httpx2.ConnectError as problem:
        raise SourceError(f"{url} cannot be reached ({problem}).", hint=GET_IT) from None
    except (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.DecodingError):
        raise SourceError(
            f"{url} cut the connection after {len(data):,} bytes; nothing was changed.", hint="Run the command again."
        ) from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
        raise SourceError(f"{url} cannot be fetched: {problem}.", hint=GET_IT) from None
    return bytes(data)
