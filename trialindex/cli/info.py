"""``trialindex info``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from trialindex.cli.common import index_option, open_for_reading
from trialindex.cli.output import align, json_option, print_result

if TYPE_CHECKING:
    from trialindex.storage.info import Info


@click.command("info")
@json_option
@index_option
def command(index_path: str | None, as_json: bool) -> None:
    """Say what an index holds: how many trials, from where, with which encoder."""
    with open_for_reading(index_path) as index:
        info = index.info()
    print_result(info, _lines(info), as_json=as_json)


def _lines(info: Info) -> Iterator[str]:
    from trialindex.storage.info import EMBED_THE_REST, describe_embedded
    from trialindex.trial import display, sanitize

    encoder = info.manifest.encoder
    rows = [
        ("index", info.path),
        ("trials", f"{info.trials:,}"),
        *([("searched so far", describe_embedded(info.trials, info.unembedded))] if info.unembedded else []),
        ("passages", f"{info.passages:,}"),
        ("size", f"{info.bytes / 1e6:.1f} MB"),
        ("generation", str(info.generation)),
        ("encoder", f"{encoder.spec} ({encoder.dimension} dimensions, sha256 {encoder.sha256[:12]}…)"),
        ("store", f"{info.manifest.store} ({info.vectors})" if info.vectors else info.manifest.store),
        ("format", f"{info.manifest.format}, made by trialindex {info.manifest.created_with}"),
        *(("source", f"{sanitize.one_line(spec)}, last on {ran}") for spec, ran in sorted(info.sources.items())),
        *((display.status(code or None), f"{count:,}") for code, count in info.statuses.items()),
        *([("gone from the registry", f"{info.gone:,}")] if info.gone else []),
    ]
    yield from align([(name, sanitize.one_line(value)) for name, value in rows])
    if info.unembedded:
        yield f"{EMBED_THE_REST}."
