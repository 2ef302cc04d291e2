"""``trialindex completion``."""

from __future__ import annotations

import click


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes SHELL complete commands, options and values.

    \b
    bash: trialindex completion bash >> ~/.bashrc
    zsh:  trialindex completion zsh  >> ~/.zshrc
    fish: trialindex completion fish >  ~/.config/fish/completions/trialindex.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "trialindex", "_TRIALINDEX_COMPLETE").source())
