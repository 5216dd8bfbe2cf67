"""Takes a picture of a report with headless chromium: `screenshot.py FOLDER OUT.png [--width 1280] [--height 1600] [--dark]`."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAGE = "report.html"
PNG = b"\x89PNG\r\n\x1a\n"
SECONDS = 120
DARK, LIGHT = 0, 1  # how the engine numbers the preferred colour schemes


def find_browser() -> str:
    """The path of a browser; ends the program where there is none."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit(f"no browser found ({', '.join(NAMES)}); on Debian: apt-get install chromium")
    return found


def command(browser: str, page: Path, picture: Path, size: tuple[int, int], dark: bool) -> list[str]:
    """The command line of the browser: no network, no profile of anybody's, one picture of the top of the page."""
    width, height = size
    return [
        browser,
        "--headless=new",
        *(["--no-sandbox"] if os.geteuid() == 0 else []),
        "--disable-gpu",
        "--hide-scrollbars",
        "--disable-background-networking",
        "--proxy-server=127.0.0.1:9",
        "--force-device-scale-factor=1",
        f"--blink-settings=preferredColorScheme={DARK if dark else LIGHT}",
        f"--window-size={width},{height}",
        f"--screenshot={picture}",
        page.resolve().as_uri(),
    ]


def take(folder: Path, picture: Path, size: tuple[int, int], dark: bool) -> None:
    """Writes the picture of the report of a run folder; it is whole or not there."""
    page = folder / PAGE if folder.is_dir() else folder
    if not page.is_file():
        raise SystemExit(f"{page} does not exist: `accordeur report {folder}` makes it")
    browser = find_browser()
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        draft = Path(place) / "picture.png"
        words = command(browser, page, draft, size, dark)
        words.insert(1, f"--user-data-dir={place}/profile")
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise SystemExit(f"{browser} took no picture in {SECONDS} s") from None
        if not draft.is_file() or not draft.read_bytes().startswith(PNG):
            raise SystemExit(f"{browser} took no picture (exit {done.returncode}):\n{done.stderr[-800:]}")
        shutil.copyfile(draft, picture)


def main(arguments: list[str] | None = None) -> int:
    """Reads the command line and takes the picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":")[0])
    parser.add_argument("folder", type=Path, help="folder of a comparison, or an HTML page")
    parser.add_argument("picture", type=Path, help="where the picture goes (.png)")
    parser.add_argument("--width", type=int, default=1280, help="pixels (default: 1280)")
    parser.add_argument("--height", type=int, default=1600, help="pixels from the top of the page (default: 1600)")
    parser.add_argument("--dark", action="store_true", help="as it looks where people prefer dark pages")
    given = parser.parse_args(arguments)
    take(given.folder, given.picture, (given.width, given.height), given.dark)
    print(f"wrote {given.picture}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
