"""``trialindex info``."""

from __future__ import annotations

import click

from trialindex.cli.common import index_option, json_text, open_for_reading


@click.command("info")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@index_option
def command(index_path: str | None, as_json: bool) -> None:
    """Say what an index holds: how many trials, from where, with which encoder."""
    from trialindex.trial import display, sanitize

    with open_for_reading(index_path) as index:
        info = index.info()
    if as_json:
        click.echo(json_text(info))
        return
    encoder = info.manifest.encoder
    rows = [
        ("index", info.path),
        ("trials", f"{info.trials:,}"),
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
    for name, value in rows:
        click.echo(f"{name:<24}{sanitize.one_line(value)}")
