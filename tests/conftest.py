"""The tests say what holds on a processor, wherever they run; those in tests/gpu need a card: `make test-gpu`."""

from __future__ import annotations

import os

if not os.environ.get("ACCORDEUR_TEST_GPU"):
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # before anything asks for a card
