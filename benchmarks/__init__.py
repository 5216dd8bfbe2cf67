"""Speed and memory against the usual tools: same rows, interleaved runs, and an exactness gate before any ratio counts."""
