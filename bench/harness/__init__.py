"""The parts of bench/compare.py: servers, loads, measurements, report."""
