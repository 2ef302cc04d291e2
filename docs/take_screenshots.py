"""Take the screenshots of docs/serving.md, on a phone's width, from a server of the bundled sample.

::

    pip install playwright
    python docs/take_screenshots.py /usr/bin/chromium [INDEX]

It starts the server itself; the browser is one that is installed, named by its path.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent / "screenshots"
WIDTH, HEIGHT = 390, 844
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
QUESTION = "my kidneys are failing because of lupus, I am 34, no diabetes"


def main(browser_path: str, index: str | None = None) -> None:
    """Six pages, light, and the results once more, dark."""
    from playwright.sync_api import Page, sync_playwright

    command = [sys.executable, "-m", "trialindex", "serve", "--port", "0", *(["--index", index] if index else [])]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603  our own command
    assert server.stdout is not None
    FOLDER.mkdir(exist_ok=True)
    try:
        address = re.search(r"http://\S+(?=/ )", server.stdout.readline())
        entrance = re.search(r"http://\S+", server.stdout.readline())
        assert address is not None
        assert entrance is not None

        def shoot(page: Page, name: str, height: int = 1000) -> None:
            size = page.evaluate("document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": WIDTH, "height": min(height, size)}
            page.screenshot(path=FOLDER / f"{name}.png", full_page=True, clip=clip)

        def ask(page: Page) -> None:
            page.goto(f"{address[0]}/")
            page.fill("#text", QUESTION)
            page.fill("#near", "Lyon, France")
            with page.expect_navigation():
                page.click("main button[type=submit]")

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=browser_path, args=list(FLAGS))
            for scheme in ("light", "dark"):
                context = browser.new_context(
                    viewport={"width": WIDTH, "height": HEIGHT},
                    color_scheme="dark" if scheme == "dark" else "light",
                )
                page = context.new_page()
                if scheme == "dark":
                    ask(page)
                    shoot(page, "results-dark")
                    continue
                page.goto(entrance[0])
                shoot(page, "home")
                ask(page)
                shoot(page, "results")
                with page.expect_navigation():
                    page.click("article h2 a")
                shoot(page, "trial", 1600)
                page.goto(f"{address[0]}/condition/lupus%20nephritis")
                shoot(page, "condition")
                if index:  # beside the bundled sample nothing is kept
                    with page.expect_navigation():
                        page.click("text=Watch this condition")
                page.goto(f"{address[0]}/watches")
                shoot(page, "watches")
                page.goto(f"{address[0]}/safety")
                shoot(page, "safety")
            browser.close()
    finally:
        server.terminate()
        server.wait(30)


if __name__ == "__main__":
    main(*sys.argv[1:])
