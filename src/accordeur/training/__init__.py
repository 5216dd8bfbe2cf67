"""How weights move: plain functions over token ids, the one training loop and what it needs."""
