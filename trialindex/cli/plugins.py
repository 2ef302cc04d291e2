"""``trialindex plugins``."""

from __future__ import annotations

import click


@click.command("plugins")
def command() -> None:
    """List the plugins that are installed: what each brings, where it is from, and what failed to load."""
    from trialindex.plugins import KINDS, plugins

    installed = plugins()
    brings: dict[str, list[str]] = {}
    for kind in KINDS:
        for name, (_, plugin) in installed.provided(kind).items():
            brings.setdefault(plugin, []).append(f"{KINDS[kind].label} {name}")
    for name, _ in installed.each("register_commands"):
        brings.setdefault(name, []).append("commands")
    for name, _ in installed.each("index_updated"):
        brings.setdefault(name, []).append("acts on updates")
    for plugin in installed.installed:
        what = f"does not work: {plugin.error}" if plugin.error else ", ".join(brings.get(plugin.name, ["nothing"]))
        click.echo(f"{plugin.name:<24}{plugin.distribution} {plugin.version:<12}{what}")
