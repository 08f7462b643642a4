"""One command per performance goal; never part of the test run. `docs/operators.md` says how to run them."""

import sys

from mim.embedded.bootstrap import make_ready

make_ready(sys.orig_argv[1:])  # `python3 -m bench.lists` enters `.venv` as `manage.py` does
