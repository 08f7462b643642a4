"""One command per performance goal; never part of the test run. `docs/operators.md` says how to run them."""
