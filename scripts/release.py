"""Makes what the package ships of a pretrained base: `python scripts/release.py BASE RECIPE OUT`, half precision and a card."""

from __future__ import annotations

import argparse
from pathlib import Path

from accordeur.foundations.release import release


def main() -> None:
    """Writes the folder and says how large its weights are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", type=Path, help="the folder that `accordeur pretrain` wrote")
    parser.add_argument("recipe", type=Path, help="its recipe, for what the card says of data and limits")
    parser.add_argument("out", type=Path, help="src/accordeur/assets/accordeur-mini, say")
    given = parser.parse_args()
    out = release(given.base, given.recipe, given.out)
    print(f"{out}: {(out / 'model.safetensors').stat().st_size / 1e6:.2f} MB of weights")


if __name__ == "__main__":
    main()
