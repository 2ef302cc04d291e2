"""``python -m trialindex``."""

from trialindex.cli import main

if __name__ == "__main__":
    main()
