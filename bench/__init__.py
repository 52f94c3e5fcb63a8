"""Measurements of the journal: `make bench` runs them all and writes results.md. They judge nothing; tests do."""
