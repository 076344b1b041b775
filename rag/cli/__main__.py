"""`python -m rag.cli`, where the console script is not installed."""

from __future__ import annotations

from rag.cli import run

if __name__ == "__main__":
    run()
