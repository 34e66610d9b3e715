"""`python -m pipedoctor`."""

import sys

from pipedoctor.cli import main

if __name__ == "__main__":
    sys.exit(main())
