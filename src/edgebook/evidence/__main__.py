"""`python -m edgebook.evidence`."""

import sys

from edgebook.evidence.evidence import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
