"""The benchmark: this router beside bare QuickFIX, on one machine, in one run. `python -m tests.bench`, or `make bench`."""
