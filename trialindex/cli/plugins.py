"""``trialindex plugins``."""

from __future__ import annotations

import click


@click.command("plugins")
@click.pass_context
def command(ctx: click.Context) -> None:
    """List the plugins that are installed: what each brings, where it is from, and what failed to load.

    Exits 1 when two of them bring a thing of the same name.
    """
    from trialindex.cli.common import say
    from trialindex.errors import PluginError
    from trialindex.plugin.registry import plugins
    from trialindex.trial.sanitize import one_line

    installed = plugins()
    brings: dict[str, list[str]] = {}
    collision = False
    for registry in installed.registries:
        try:
            for name in registry.names():
                brings.setdefault(registry.plugin_of(name), []).append(f"{registry.label} {name}")
        except PluginError as problem:
            say(str(problem))
            collision = True
    for name, _ in installed.each("register_commands"):
        brings.setdefault(name, []).append("commands")
    for name, _ in installed.each("index_updated"):
        brings.setdefault(name, []).append("acts on updates")
    for found in installed.installed:
        what = f"does not work: {found.error}" if found.error else ", ".join(brings.get(found.name, ["nothing"]))
        click.echo(f"{found.name:<24}{f'{found.distribution} {found.version}':<28}{one_line(what)}")
    ctx.exit(collision)
