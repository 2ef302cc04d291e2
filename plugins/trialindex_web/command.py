"""``trialindex serve``."""

from __future__ import annotations

from pathlib import Path

import click

from trialindex.cli.common import default_path, index_option, make_reader, open_for_reading, reader_options

PORT = 8477


@click.command("serve")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Its port; 0 for one that is free."
)
@click.option("--open", "browser", is_flag=True, help="Open the page in your browser.")
@click.option("--contacts", is_flag=True, help="Show the contacts of trials without being asked for each.")
@click.option("--public", is_flag=True, help="For everybody who can reach it: needs --base-url, behind HTTPS.")
@click.option(
    "--base-url", metavar="URL", help="With --public: the address that people type, https://trials.example.org."
)
@click.option(
    "--proxy", is_flag=True, help="With --public: believe the X-Forwarded-For of the web server in front of this one."
)
@click.option(
    "--token-file",
    metavar="PATH",
    help="Where the token is, or is put, with which programs of yours reach your watches.",
)
@click.option(
    "--security", metavar="CONTACT", default="", help="With --public: whom to tell of a hole, an address or a page."
)
@reader_options
@index_option
def serve(
    host: str,
    port: int,
    browser: bool,
    contacts: bool,
    public: bool,
    base_url: str | None,
    proxy: bool,
    token_file: str | None,
    security: str,
    reader: str,
    allow_remote: bool,
    index_path: str | None,
) -> None:
    """Show the index as a web page, and answer programs.

    Without --public only this computer can reach it. What is typed there is kept in memory for half an hour and is
    never written, logged, or put into an address; what you watch is kept as `trialindex watch` keeps it. A reader that
    sends what is typed to a model is named on the pages. Stop it with Ctrl-C.

    \b
    Examples:
      trialindex serve --open
      trialindex serve --index lupus --port 8000
      trialindex serve --reader llm:llama3.1
      trialindex serve --public --base-url https://trials.example.org
    """
    from trialindex.watching import Subscribers
    from trialindex_web.secrets import read_token
    from trialindex_web.serving import bind, run
    from trialindex_web.settings import Settings

    chosen = make_reader(reader, allow_remote)
    listening = bind(host, port, public=public)
    with listening, open_for_reading(index_path) as index:
        settings = Settings.for_address(
            listening.getsockname(),
            public=public,
            base_url=base_url or "",
            contacts=contacts,
            proxy=proxy,
            sample=index_path is None and index.folder != default_path(),
            sign_up=public and Subscribers.exist(index.folder),
            security=security,
            reader=chosen,
            token=read_token(Path(token_file)) if token_file else "",
        )
        run(index, settings, listening, browser=browser)
