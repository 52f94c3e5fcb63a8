"""Measurements of journal and pre-flight: `make bench` runs them all and writes results.md. They judge nothing; tests do."""
