"""The parts of the scripts in bench/: servers, loads, measurements, reports."""
