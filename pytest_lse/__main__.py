"""`python -m pytest_lse` is `pytest-lse`."""

import sys

from pytest_lse.cli import main

if __name__ == "__main__":
    sys.exit(main())
