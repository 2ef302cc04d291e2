"""Groups of commands whose options may stand before the name of the command as well as after it."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

import click


class OptionsAnywhere(click.Group):
    """``GROUP --index X NAME`` is read as ``GROUP NAME --index X``.

    Options that stand before the name and are none of the group's own are moved behind it. Only then are the commands
    looked at, to know which of their options take a value.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own, early, at = [], [], 0
        mine = {name for parameter in self.get_params(ctx) for name in _names(parameter)}
        arity: dict[str, bool] | None = None
        while at < len(args) and args[at].startswith("-") and args[at] not in ("-", "--"):
            name, equals, _ = args[at].partition("=")
            if name in mine:
                own.append(args[at])
                at += 1
                continue
            arity = dict(_options_below(self, ctx)) if arity is None else arity
            short = name[:2] if not name.startswith("--") else name  # -n10 is -n with its value
            if short not in arity:
                raise click.NoSuchOption(name, possibilities=get_close_matches(name, arity), ctx=ctx)
            size = 2 if arity[short] and not equals and short == name else 1
            early += args[at : at + size]
            at += size
        if early and at >= len(args):
            ctx.fail("Missing command.")
        if early:
            args = [*own, args[at], *early, *args[at + 1 :]]
        return super().parse_args(ctx, args)


def _names(parameter: click.Parameter) -> Iterator[str]:
    yield from parameter.opts
    yield from parameter.secondary_opts


def _options_below(group: click.Group, ctx: click.Context) -> Iterator[tuple[str, bool]]:
    """The names of the options of every command in a group, and whether each takes a value."""
    for name in group.list_commands(ctx):
        command = group.get_command(ctx, name)
        if isinstance(command, click.Group):
            yield from _options_below(command, ctx)
        for parameter in command.get_params(ctx) if command else ():
            if isinstance(parameter, click.Option):
                takes_value = not (parameter.is_flag or parameter.count)
                yield from ((option, takes_value) for option in _names(parameter))
