"""What the course needs around the library: lessons, call log, doctor, faults."""
